import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { checkout, cli, must } from './cli.ts';

const names = ['restore', 'twin', 'life', 'qemu', 'qemu-second', 'qemu-third', 'interrupt', 'lacks'] as const;

/**
 * Flags that give a copy ports of its own at its first start: while it is off, other tests' machines would take those it has
 * had, and it insists on them.
 */
export function ownPorts(dir: string): string[] {
  const index = (names as readonly string[]).indexOf(path.basename(dir));
  if (index < 0 || existsSync(path.join(dir, 'machine/state.json'))) return [];
  return ['https', 'http', 'ssh'].flatMap((name, offset) => [`--${name}-port`, String(9000 + 3 * index + offset)]);
}

/** A second server from the same image: its own folder, machine, data disk and secrets. */
export async function copyOf(dir: string, name: (typeof names)[number]): Promise<string> {
  const copy = path.join(checkout, 'build', 'e2e', name);
  await cli(['down', copy]);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  for (const name of ['devserver.yaml', 'devserver.lock']) copyFileSync(path.join(dir, name), path.join(copy, name));
  await must('cp', [
    '--recursive',
    '--sparse=always',
    '--reflink=auto',
    '--preserve=timestamps',
    '--',
    path.join(dir, 'out'),
    copy,
  ]);
  return copy;
}

/** Powers a copy off and removes it: each has disks of gigabytes. DEVSERVER_E2E_KEEP leaves it there to be looked at. */
export async function discard(copy: string): Promise<void> {
  if (copy === '') return;
  await cli(['down', copy]);
  if (process.env.DEVSERVER_E2E_KEEP === undefined) rmSync(copy, { recursive: true, force: true });
}

/** The last line of `up --wait --json`. */
export interface UpResult {
  readonly type: 'result';
  readonly ready: boolean;
  readonly url: string;
  readonly admin: string;
  readonly adminPasswordFile: string;
  readonly seconds: number;
}

/** Starts the machine of DIR and returns the result line; anything else is an error with all that was printed. */
export async function up(dir: string, ...args: string[]): Promise<UpResult> {
  const { exitCode, stdout, stderr } = await cli(['up', dir, '--json', ...ownPorts(dir), ...args]);
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (exitCode !== 0)
    throw new Error(`up ${args.join(' ')} ended with ${exitCode}\n${stdout.slice(-3000)}\n${stderr.slice(-3000)}`);
  return JSON.parse(last) as UpResult;
}
