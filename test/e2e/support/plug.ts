import { expect } from 'vitest';
import { cli, mustCli } from './cli.ts';
import { remainsSoon } from './remains.ts';

/** Ends a machine without its consent, as a power cut does; one that has hardly begun to boot hears no power button anyway. */
export async function pullThePlug(dir: string): Promise<void> {
  const { stdout } = await cli(['status', dir, '--json']);
  const status = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { running: boolean; pid: number };
  expect(status.running, 'the machine does not run').toBe(true);
  process.kill(status.pid, 'SIGKILL');
  // the kernel takes its mounts down a moment later; the next start would meet its disks
  await remainsSoon(dir);
  await mustCli(['down', dir]);
}
