import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { exitCodes } from '../../src/kernel/errors.ts';
import { withLock } from '../../src/machine/lock.ts';

const fresh = () => path.join(mkdtempSync(path.join(tmpdir(), 'lock-')), 'lock');

it('lets one in at a time and says busy to the other', async () => {
  const file = fresh();
  const answer = await withLock(file, 'the machine', async () => {
    const second = withLock(file, 'the machine', async () => 'in');
    await expect(second).rejects.toMatchObject({ exitCode: exitCodes.busy });
    return 'first';
  });
  expect(answer).toBe('first');
  expect(await withLock(file, 'the machine', async () => 'later')).toBe('later');
  expect(readdirSync(path.dirname(file))).toEqual([]);
});

it('takes over from a holder that died, and from a damaged file', async () => {
  const file = fresh();
  for (const content of [JSON.stringify({ pid: process.pid, startTime: 1 }), 'damaged', '']) {
    writeFileSync(file, content);
    expect(await withLock(file, 'the machine', async () => 'in')).toBe('in');
  }
});

it('is free again after a failure', async () => {
  const file = fresh();
  const failing = withLock(file, 'the machine', async () => {
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(existsSync(file)).toBe(false);
});
