import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { run } from './e2e/support/cli.ts';
import { checkout } from './support/real.ts';

const folders = ['src', 'provision', 'stacks', 'test', 'bench'];

// seven seconds for a first check; what the last one found out is kept in build/, and on a busy machine all takes longer
it('every TypeScript file passes the type checker', async () => {
  const { exitCode, stdout } = await run(process.execPath, [
    'node_modules/typescript/bin/tsc',
    '--noEmit',
    '--pretty',
    'false',
    '--incremental',
    '--tsBuildInfoFile',
    'build/types.tsbuildinfo',
    '--listFiles',
  ]);
  const lines = stdout.trim().split('\n');
  const checked = new Set(lines.filter((line) => line.startsWith('/')).map((file) => path.relative(checkout, file)));
  expect(lines.filter((line) => !line.startsWith('/'))).toEqual([]);
  expect(exitCode).toBe(0);
  expect(folders.flatMap(sources).filter((file) => !checked.has(file))).toEqual([]);
});

function sources(folder: string): string[] {
  try {
    return readdirSync(path.join(checkout, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => path.join(folder, name));
  } catch {
    // not every folder is there in every checkout
    return [];
  }
}
