import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, rmSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureHostTools } from '../../src/host-setup.ts';
import { hostTools } from '../../src/host-tools.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { plainReport } from '../../src/terminal/plain.ts';
import { isApart } from '../e2e/apart.ts';
import { applianceFolder, applianceToBuild } from '../e2e/support/built.ts';
import { recordResults } from './results.ts';
import { runSuites, type Suite, type SuiteGroup } from './suites.ts';
import { testTools } from './test-tools.ts';

const unit: Suite = { name: 'unit', config: 'vitest.config.ts', skipsFail: false };
const e2e: Suite = { name: 'e2e', config: 'test/e2e/vitest.config.ts', skipsFail: true };
/** Machines of their own; in emulation they take as long as all the others. */
const own: Suite = { name: 'apart', config: 'test/e2e/apart.config.ts', skipsFail: true };

/**
 * `npm test [unit|full]`: installs what the tests drive, runs vitest, and ends with one line
 * `N passed, N failed, N skipped`. A skipped or missing e2e test is a failure. `full FILE...` runs these files alone; a full
 * run enters its counts into test/results/full.json.
 */
async function main(mode: string, files: readonly string[]): Promise<number> {
  if (!['all', 'unit', 'full'].includes(mode)) {
    process.stderr.write(`there is no kind of test called ${mode}; there are unit and full\n`);
    return 2;
  }
  const seed = process.env.DEVSERVER_SEED ?? String(randomInt(2 ** 31));
  process.stderr.write(`seed of sampled tests: ${seed} (set DEVSERVER_SEED to repeat)\n`);
  if (mode !== 'unit')
    await ensureHostTools(
      realSystem(),
      plainReport((line) => process.stderr.write(`${line}\n`)),
      [...hostTools, ...testTools],
    );
  // the bundle of this file lies in build/
  const reports = path.dirname(fileURLToPath(import.meta.url));
  // what is run all the time takes the smallest samples
  const sizes: Readonly<Record<string, string>> = { unit: 'quick', all: 'sample', full: 'full' };
  const env = { DEVSERVER_SEED: seed, DEVSERVER_TEST_SIZE: sizes[mode] ?? 'sample' };
  const context = { root: path.dirname(reports), reports, env };
  if (mode === 'unit') return runSuites([{ suites: [unit] }], context);
  const prepare = (): Promise<boolean> => buildAppliance(context.root);
  const built = { ...context, env: { ...env, DEVSERVER_E2E_BUILT: 'yes' } };
  if (mode === 'all') return runSuites([{ suites: [unit] }, { prepare, suites: [e2e, own] }], built);
  const counts = path.join(reports, 'counts.jsonl');
  rmSync(counts, { force: true });
  const groups = groupsOf(files, prepare);
  const exitCode = await runSuites(groups, { ...built, files, env: { ...built.env, DEVSERVER_COUNTS: counts } });
  const done = groups.flatMap(({ suites }) => suites.map(({ name }) => path.join(reports, `tests-${name}.json`)));
  recordResults(context.root, done, counts, seed);
  return exitCode;
}

/** The suites that files belong to; all of them when none is named. */
function groupsOf(files: readonly string[], prepare: () => Promise<boolean>): SuiteGroup[] {
  const isNamed = (of: (file: string) => boolean): boolean => files.length === 0 || files.some(of);
  const inside = [
    ...(isNamed((file) => file.includes('.e2e') && !isApart(file)) ? [e2e] : []),
    ...(isNamed(isApart) ? [own] : []),
  ];
  return [
    ...(isNamed((file) => !file.includes('.e2e')) ? [{ suites: [unit] }] : []),
    ...(inside.length === 0 ? [] : [{ prepare, suites: inside }]),
  ];
}

const roomNeeded = 12e9;

/** The image all e2e tests share, at the place where they look for it. */
async function buildAppliance(root: string): Promise<boolean> {
  const run = (args: readonly string[]): boolean =>
    spawnSync(process.execPath, [path.join(root, 'start.mjs'), 'run', ...args], { cwd: root, stdio: ['ignore', 2, 2] }).status ===
    0;
  const folder = applianceFolder(root);
  const { bavail, bsize } = statfsSync(root);
  // machines of several tests are there at once; on a full disk all fail, and for reasons that name it seldom
  if (bavail * bsize < roomNeeded) {
    process.stderr.write(
      `${root}: ${((bavail * bsize) / 1e9).toFixed(0)} GB are free, the end-to-end tests need ${roomNeeded / 1e9} GB\n`,
    );
    return false;
  }
  if (existsSync(path.join(folder, 'devserver.yaml')) && !run(['down', folder])) return false;
  rmSync(folder, { recursive: true, force: true });
  return run(applianceToBuild(root));
}

try {
  process.exitCode = await main(process.argv[2] ?? 'all', process.argv.slice(3));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  for (const line of [...error.details, error.message, error.hint]) if (line !== undefined) process.stderr.write(`${line}\n`);
  process.stdout.write('0 passed, 1 failed, 0 skipped\n');
  process.exitCode = error.exitCode;
}
