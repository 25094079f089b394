import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { checkout } from '../support/real.ts';

const list = [path.join(checkout, 'start.mjs'), 'run', 'list'];

it.each([
  ['goes to a disk that is full', 4, 'the output can not be written: the disk is full', false],
  ['is read no more', 130, 'nobody reads the output any more', true],
])('output that %s is told as that, not as a bug', { timeout: 60_000 }, async (_what, exitCode, message, isPipe) => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, list, { stdio: ['ignore', isPipe ? 'pipe' : full, 'pipe'] });
  child.stdout?.destroy();
  let said = '';
  child.stderr?.on('data', (part: Buffer) => {
    said += part.toString('utf8');
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  closeSync(full);
  expect([code, said]).toEqual([exitCode, `create-devserver: ${message}\n`]);
});
