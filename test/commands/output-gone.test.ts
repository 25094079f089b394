import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { hostTools } from '../../src/host-tools.ts';
import { checkout } from '../support/real.ts';

const start = (...args: string[]): string[] => [path.join(checkout, 'start.mjs'), 'run', ...args];
const cases = [
  ['goes to a disk that is full', 4, 'the output can not be written: the disk is full', false],
  ['is read no more', 130, 'nobody reads the output any more', true],
] as const;

/** Runs the CLI with an output that can't be written; what it says on standard error. */
async function ending(args: readonly string[], isPipe: boolean, env = process.env): Promise<{ code: unknown; said: string }> {
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, start(...args), { env, stdio: ['ignore', isPipe ? 'pipe' : full, 'pipe'] });
  child.stdout?.destroy();
  let said = '';
  child.stderr?.on('data', (part: Buffer) => {
    said += part.toString('utf8');
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  closeSync(full);
  return { code, said };
}

it.each(cases)('output that %s is told as that, not as a bug', async (_what, exitCode, message, isPipe) => {
  expect(await ending(['list'], isPipe)).toEqual({ code: exitCode, said: `create-devserver: ${message}\n` });
});

it.each(cases)('output that %s in the middle of a build is told once', async (_what, code, message, isPipe) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'gone-'));
  // every program of the machine that a build may look for, none of them at work
  for (const { program, file } of hostTools)
    if (file === undefined) writeFileSync(path.join(dir, program), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
  const server = path.join(dir, 'server');
  const args = [server, '--yes', '--base', 'debian-13', '--json', '--cache', path.join(dir, 'cache')];
  const env = { ...process.env, PATH: `${dir}:${process.env.PATH ?? ''}` };
  expect(await ending(args, isPipe, env)).toEqual({ code, said: `create-devserver: ${message}\n` });
  // it got as far as a build, and left nothing half-made
  expect(readFileSync(path.join(server, 'build.log'), 'utf8')).toContain('mmdebstrap');
  expect(readdirSync(server).sort()).toEqual(['build.log', 'devserver.yaml']);
  rmSync(dir, { recursive: true });
});
