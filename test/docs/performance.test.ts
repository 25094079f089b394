import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { type BackupResults, backupPage } from '../../bench/support/backup-page.ts';
import { type BuildResults, buildPage, type IdleResults } from '../../bench/support/build-page.ts';
import { type ProjectResults, performancePage } from '../../bench/support/page.ts';
import { checkout } from '../support/real.ts';

const resultsOf = (bench: string): unknown =>
  JSON.parse(readFileSync(path.join(checkout, `bench/results/${bench}.json`), 'utf8'));

it.each([
  ['docs/performance.md', () => performancePage(resultsOf('projects') as ProjectResults)],
  ['docs/backup-performance.md', () => backupPage(resultsOf('backup') as BackupResults)],
  ['docs/build-performance.md', () => buildPage(resultsOf('build') as BuildResults, resultsOf('idle') as IdleResults)],
])('%s is made from the results of the bench', (file, pageOf) => {
  const page = path.join(checkout, file);
  const made = pageOf();
  if (process.env.DEVSERVER_WRITE_DOCS === '1') writeFileSync(page, made);
  expect(readFileSync(page, 'utf8')).toBe(made);
});

it.each(['projects', 'build'])('the picture of %s is there', (name) => {
  expect(existsSync(path.join(checkout, `docs/figures/${name}.svg`))).toBe(true);
});
