import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

/** Tests that vitest runs together. */
export interface Suite {
  readonly name: string;
  /** Its vitest configuration, below the project's root. */
  readonly config: string;
  /** A skipped test of it is a failure. */
  readonly skipsFail: boolean;
}

/** Suites that run side by side. */
export interface SuiteGroup {
  readonly suites: readonly Suite[];
  /** What all of them need; when it says false none of them runs, and each counts as failed. */
  readonly prepare?: () => Promise<boolean>;
}

export interface SuitesContext {
  /** The project's root, with vitest in its node_modules. */
  readonly root: string;
  /** Folder for vitest's reports. */
  readonly reports: string;
  readonly env: Readonly<Record<string, string>>;
  /** Run these test files alone; default: all. */
  readonly files?: readonly string[];
}

/**
 * Runs the suites of a group side by side and the groups one after the other, and ends with one line on standard output,
 * `N passed, N failed, N skipped`.
 * @returns the exit code: 0 when something passed, nothing failed and nothing was skipped that may not be.
 */
export async function runSuites(groups: readonly SuiteGroup[], context: SuitesContext): Promise<number> {
  const counts: (Count & { readonly isWrong: boolean })[] = [];
  for (const { prepare, suites } of groups) {
    const isPrepared = (await prepare?.()) ?? true;
    if (isPrepared) counts.push(...(await Promise.all(suites.map((suite) => judged(suite, context)))));
    // none of them ran: that is no success
    else counts.push(...suites.map(() => ({ passed: 0, failed: 1, skipped: 0, isWrong: false })));
  }
  const sum = (kind: 'passed' | 'failed' | 'skipped'): number => counts.reduce((total, count) => total + count[kind], 0);
  process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped\n`);
  return sum('failed') > 0 || sum('passed') === 0 || counts.some(({ isWrong }) => isWrong) ? 1 : 0;
}

async function judged(suite: Suite, context: SuitesContext): Promise<Count & { readonly isWrong: boolean }> {
  const count = await runSuite(suite, context);
  const isWrong = suite.skipsFail && count.skipped > 0;
  if (isWrong) process.stderr.write(`${count.skipped} ${suite.name} tests were skipped: that is a failure\n`);
  return { ...count, isWrong };
}

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

async function runSuite({ name, config }: Suite, { root, reports, env, files = [] }: SuitesContext): Promise<Count> {
  const report = path.join(reports, `tests-${name}.json`);
  mkdirSync(reports, { recursive: true });
  rmSync(report, { force: true });
  const args = [
    path.join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    config,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...files,
  ];
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const count = countOf(report);
  // it ended badly and no test says why: the run itself is what failed
  return status === 0 || count.failed > 0 ? count : { ...count, failed: 1 };
}

/** What vitest's JSON report says, as far as the closing line needs it. */
interface TestReport {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

function countOf(report: string): Count {
  let files: TestReport['testResults'] = [];
  try {
    files = (JSON.parse(readFileSync(report, 'utf8')) as TestReport).testResults;
  } catch {
    process.stderr.write(`${report} holds no report: the tests did not run to their end\n`);
  }
  const tests = files.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  // a file that could not be loaded has no test that failed
  const unloaded = files.filter((it) => it.status === 'failed' && !it.assertionResults.some(({ status }) => status === 'failed'));
  return {
    passed: tests.filter((status) => status === 'passed').length,
    failed: tests.filter((status) => status === 'failed').length + unloaded.length,
    skipped: tests.filter((status) => ['skipped', 'pending', 'todo', 'disabled'].includes(status)).length,
  };
}
