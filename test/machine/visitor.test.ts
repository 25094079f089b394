import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { execInMachine } from '../../src/machine/exec.ts';
import { makeMachineFolder } from '../../src/machine/instance.ts';
import { childrenOf, identify } from '../../src/machine/process.ts';
import { writeState } from '../../src/machine/state.ts';

const isolated = ['--user', '--map-root-user', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Ends as systemd does (shared/killall.c): everything else is stopped, told to end, continued, killed. */
const goingDown = `
  process.stdin.once('data', () => {
    for (const signal of ['SIGSTOP', 'SIGTERM', 'SIGCONT', 'SIGKILL']) {
      try { process.kill(-1, signal); } catch {}
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
    process.exit(0);
  });
  process.stdout.write('up');`;

let guest: ChildProcess;

/** A guest whose process 1 goes down at a word; the folder of its machine. */
async function runningGuest(): Promise<string> {
  const dir = mkdtempSync(path.join(tmpdir(), 'visitor-'));
  guest = spawn('unshare', [...isolated, process.execPath, '-e', goingDown], { stdio: ['pipe', 'pipe', 'inherit'] });
  if (guest.stdout !== null) await once(guest.stdout, 'data');
  const [first = 0] = childrenOf(guest.pid ?? 0);
  const paths = makeMachineFolder(dir);
  const own = {
    backend: 'nspawn',
    ports: { https: 1, http: 2, ssh: 3 },
    listen: '127.0.0.1',
    url: 'https://127.0.0.1:1',
  } as const;
  writeState(paths.state, { ...own, imageId: 'one', process: identify(guest.pid ?? 0), leader: identify(first) });
  return dir;
}

/** A program that has said that it runs, and its exit code to be. */
async function visitor(dir: string, argv: readonly string[], signal?: AbortSignal): Promise<{ exit: Promise<number> }> {
  let exit: Promise<number> = Promise.resolve(0);
  await new Promise<void>((resolve) => {
    exit = execInMachine(dir, argv, { onStdout: () => resolve(), ...(signal === undefined ? {} : { signal }) });
  });
  return { exit };
}

afterEach(() => {
  guest.kill('SIGKILL');
});

describe('a visitor in a native machine', () => {
  it('does not keep a guest from going down', async () => {
    const dir = await runningGuest();
    const { exit } = await visitor(dir, ['sh', '-c', 'echo here; sleep 60']);
    const ended = once(guest, 'exit');
    guest.stdin?.write('down');
    expect(await Promise.race([ended.then(([code]) => code), sleep(55_000, 'still there', { ref: false })])).toBe(0);
    expect(await exit).toBe(143);
  });

  it('ends with what it started when the command is interrupted, or hands on its exit code', async () => {
    const dir = await runningGuest();
    expect(await execInMachine(dir, ['sh', '-c', 'exit 42'])).toBe(42);
    const abort = new AbortController();
    const { exit } = await visitor(dir, ['sh', '-c', 'trap "exit 7" TERM; echo here; while :; do sleep 0.1; done'], abort.signal);
    abort.abort();
    expect(await exit).toBe(130);
    const [first = 0] = childrenOf(guest.pid ?? 0);
    await expect.poll(() => inhabitants(first)).toEqual([String(first)]);
  });
});

/** Every process in the process namespace of this one. */
function inhabitants(of: number): string[] {
  const namespace = (pid: string): string | undefined => {
    try {
      return readlinkSync(`/proc/${pid}/ns/pid`);
    } catch {
      return undefined;
    }
  };
  const wanted = namespace(String(of));
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && namespace(pid) === wanted);
}
