import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { childrenOf, groupOf, identify, isAlive, killGroup, signalProcess, waitForEnd } from '../../src/machine/process.ts';

it('knows this process and tells it from another with the same number', () => {
  const self = identify(process.pid);
  if (self === undefined) throw new Error('no /proc');
  expect(isAlive(self)).toBe(true);
  expect(isAlive({ ...self, startTime: self.startTime - 1 })).toBe(false);
  expect(isAlive(undefined)).toBe(false);
});

it('does not signal a recycled number', () => {
  const self = identify(process.pid);
  if (self === undefined) throw new Error('no /proc');
  signalProcess({ ...self, startTime: self.startTime + 1 }, 'SIGKILL');
  expect(isAlive(self)).toBe(true);
});

it('sees a process end, reads a name with blanks and parentheses, finds children', async () => {
  const program = path.join(mkdtempSync(path.join(tmpdir(), 'process-')), 'a ) (b');
  copyFileSync('/bin/sleep', program);
  const child = spawn(program, ['60']);
  await once(child, 'spawn');
  const id = identify(child.pid ?? 0);
  if (id === undefined) throw new Error('not running');
  expect(childrenOf(process.pid)).toContain(id.pid);
  expect(await waitForEnd(id, 100)).toBe(false);
  signalProcess(id, 'SIGKILL');
  expect(await waitForEnd(id, 5000)).toBe(true);
  signalProcess(id, 'SIGKILL');
});

it('ends a group whole: what its leader started as well', async () => {
  const leader = spawn('sh', ['-c', 'sleep 60 & sleep 60'], { detached: true, stdio: 'ignore' });
  const id = identify(leader.pid ?? 0);
  if (id === undefined) throw new Error('not started');
  await expect.poll(() => childrenOf(id.pid).length).toBeGreaterThan(0);
  const children = childrenOf(id.pid).map(identify);
  expect(groupOf(id)).toBe(id.pid);
  expect(await killGroup(id.pid, 5000)).toBe(true);
  for (const child of [id, ...children]) expect(isAlive(child)).toBe(false);
  expect(groupOf(id)).toBeUndefined();
  expect(await killGroup(id.pid, 100)).toBe(true);
});
