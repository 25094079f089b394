import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What a full run of one test file came to. */
interface FileResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly seed: string;
  readonly commit: string;
  readonly day: string;
  /** Sums of what its tests counted. */
  readonly counts: Readonly<Record<string, number>>;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * Enters the files of vitest's JSON reports into test/results/full.json; files that did not run keep their earlier entry.
 * @param counts the lines that `counted` wrote.
 */
export function recordResults(root: string, reports: readonly string[], counts: string, seed: string): void {
  const record = path.join(root, 'test/results/full.json');
  const before = existsSync(record) ? (JSON.parse(readFileSync(record, 'utf8')) as Record<string, FileResult>) : {};
  const git = (...args: string[]): string => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();
  const commit = `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' and changes'}`;
  const sums = sumsByFile(counts);
  const now = reports.filter(existsSync).flatMap((report) =>
    (JSON.parse(readFileSync(report, 'utf8')) as Report).testResults.map(({ name, startTime, endTime, assertionResults }) => {
      const of = (...kinds: string[]): number => assertionResults.filter(({ status }) => kinds.includes(status)).length;
      const result: FileResult = {
        ...{ passed: of('passed'), failed: of('failed'), skipped: of('skipped', 'pending', 'todo', 'disabled') },
        seconds: Math.round((endTime - startTime) / 1000),
        ...{ seed, commit, day: new Date().toISOString().slice(0, 10), counts: sums.get(name) ?? {} },
      };
      return [path.relative(root, name), result] as const;
    }),
  );
  const all = Object.entries({ ...before, ...Object.fromEntries(now) }).sort(([a], [b]) => (a < b ? -1 : 1));
  mkdirSync(path.dirname(record), { recursive: true });
  writeFileSync(record, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
}

function sumsByFile(file: string): ReadonlyMap<string, Record<string, number>> {
  const sums = new Map<string, Record<string, number>>();
  for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []) {
    const entry = JSON.parse(line) as { file: string; counts: Record<string, number> };
    const own = sums.get(entry.file) ?? {};
    for (const [name, count] of Object.entries(entry.counts)) own[name] = (own[name] ?? 0) + count;
    sums.set(entry.file, own);
  }
  return sums;
}
