import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CliResult, run } from './e2e/support/cli.ts';
import { checkout } from './support/real.ts';
import { recordVitest } from './support/recorded-vitest.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'runner-'));
const program = path.join(folder, 'run.mjs');
const configOf = (suite: string): string => `test/fixtures/suites/${suite}/vitest.config.ts`;
let recorded = '';

/** The runner as a process of its own, with suites by the names of their fixtures: `unit` and, where there are more, those of e2e side by side. */
beforeAll(async () => {
  recorded = await recordVitest(folder, ['passes', 'fails', 'skips', 'breaks', 'missing'].map(configOf));
  const contents = `
    import { runSuites } from './test/support/suites.ts';
    const [unit, ...e2e] = process.argv.slice(2).map((name) => 'test/fixtures/suites/' + name + '/vitest.config.ts');
    process.exitCode = await runSuites(
      [
        { suites: [{ name: 'unit', config: unit, skipsFail: false }] },
        {
          suites: e2e
            .map((config, index) => ({ name: index === 0 ? 'e2e' : 'more', config, skipsFail: true })),
          prepare: async () => process.env.UNPREPARED === undefined,
        },
      ],
      { root: process.env.SUITES_ROOT, reports: ${JSON.stringify(path.join(folder, 'reports'))}, env: { DEVSERVER_TEST_SIZE: 'tiny' } },
    );`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: checkout, loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
  });
  writeFileSync(program, outputFiles[0]?.contents ?? '');
});

const lastLine = ({ stdout }: CliResult): string | undefined => stdout.split('\n').at(-2);

/** Runs the runner with what the real vitest said of these suites, or with the real one again. */
const runner = (suites: readonly string[], env: Record<string, string> = {}): Promise<CliResult> =>
  run(process.execPath, [program, ...suites], { env: { SUITES_ROOT: recorded, ...env } });

// each suite is a vitest of its own: a second, on a busy machine several
describe('npm test', () => {
  it.each([
    ['all that passes', ['passes', 'passes'], '4 passed, 0 failed, 0 skipped', 0],
    ['a failed unit test', ['fails', 'passes'], '3 passed, 1 failed, 0 skipped', 1],
    ['a skipped unit test', ['skips', 'passes'], '3 passed, 0 failed, 2 skipped', 0],
    ['a skipped e2e test', ['passes', 'skips'], '3 passed, 0 failed, 2 skipped', 1],
    ['a file that can not be loaded', ['breaks'], '1 passed, 1 failed, 0 skipped', 1],
    ['suites side by side', ['passes', 'fails', 'passes'], '5 passed, 1 failed, 0 skipped', 1],
    ['e2e tests that are not there', ['passes', 'missing'], '2 passed, 1 failed, 0 skipped', 1],
  ])('ends with one line that counts: %s', async (_what, suites, line, exitCode) => {
    const result = await runner(suites);
    expect(lastLine(result), result.stderr).toBe(line);
    expect(result.stdout.endsWith(`${line}\n`)).toBe(true);
    expect(result.exitCode).toBe(exitCode);
    const complaint = '2 e2e tests were skipped: that is a failure';
    expect(result.stderr.includes(complaint)).toBe(suites[1] === 'skips');
  });

  it('runs the real vitest of its root, suites side by side', async () => {
    const result = await runner(['passes', 'fails', 'passes'], { SUITES_ROOT: checkout });
    expect([lastLine(result), result.exitCode]).toEqual(['5 passed, 1 failed, 0 skipped', 1]);
  });

  it('counts suites that could not be prepared as failed', async () => {
    const result = await runner(['passes', 'passes'], { UNPREPARED: 'yes' });
    expect([lastLine(result), result.exitCode]).toEqual(['2 passed, 1 failed, 0 skipped', 1]);
  });
});
