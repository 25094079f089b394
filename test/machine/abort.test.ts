import { mkdtempSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pauseAfter, waitUntilReady } from '../../src/commands/wait.ts';
import { exitCodes } from '../../src/kernel/errors.ts';
import { execInMachine } from '../../src/machine/exec.ts';
import { makeMachineFolder } from '../../src/machine/instance.ts';
import { keepSshKey } from '../../src/machine/keys.ts';
import { identify } from '../../src/machine/process.ts';
import { interactiveShell } from '../../src/machine/shell.ts';
import { writeState } from '../../src/machine/state.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'abort-'));
const visitors = new Set<Socket>();
let server: Server;

/** As a virtual machine that still boots: QEMU takes every connection to its ports, and nobody says a word. */
beforeAll(async () => {
  server = createServer((visitor) => visitors.add(visitor.on('close', () => visitors.delete(visitor)).on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const paths = makeMachineFolder(dir);
  keepSshKey(paths, 'abort');
  const ports = { https: 1, http: 2, ssh: address.port };
  const own = { backend: 'qemu-tcg', ports, listen: '127.0.0.1', url: 'https://127.0.0.1:1', imageId: 'one' } as const;
  writeState(paths.state, { ...own, process: identify(process.pid) });
});

afterAll(() => {
  for (const visitor of visitors) visitor.destroy();
  server.close();
});

/** Milliseconds from the abort to the answer, and the error. */
async function aborted(work: (signal: AbortSignal) => Promise<unknown>): Promise<{ error: unknown; after: number }> {
  const abort = new AbortController();
  const answer = work(abort.signal).then(
    () => undefined,
    (error: unknown) => error,
  );
  while (visitors.size === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const begun = performance.now();
  abort.abort(new Error('enough'));
  const error = await answer;
  return { error, after: performance.now() - begun };
}

it('waits longer between questions the longer an answer takes', () => {
  expect([20, 400, 700, 5000, 60_000].map(pauseAfter)).toEqual([1000, 1000, 1400, 10_000, 20_000]);
});

describe('an interruption while a virtual machine boots', () => {
  it('ends the wait until it is ready, and says that the machine runs on', async () => {
    const { error, after } = await aborted((signal) => waitUntilReady(dir, { report: () => {}, signal, backend: 'qemu-tcg' }));
    expect(error).toMatchObject({ message: 'interrupted; the machine runs on', exitCode: exitCodes.interrupted });
    expect(after).toBeLessThan(5000);
  });

  it.each([
    ['exec', (signal: AbortSignal) => execInMachine(dir, ['true'], { signal })],
    ['ssh', (signal: AbortSignal) => interactiveShell(dir, signal)],
  ])('ends %s', async (_name, work) => {
    const { error, after } = await aborted(work);
    expect(error).toMatchObject({ message: 'enough' });
    expect(after).toBeLessThan(5000);
  });
});
