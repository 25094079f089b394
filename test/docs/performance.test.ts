import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { type BackupResults, backupPage } from '../../bench/support/backup-page.ts';
import { type ProjectResults, performancePage } from '../../bench/support/page.ts';
import { checkout } from '../support/real.ts';

it.each([
  ['docs/performance.md', 'projects', (results: unknown) => performancePage(results as ProjectResults)],
  ['docs/backup-performance.md', 'backup', (results: unknown) => backupPage(results as BackupResults)],
])('%s is made from the results of the bench', (file, bench, pageOf) => {
  const page = path.join(checkout, file);
  const made = pageOf(JSON.parse(readFileSync(path.join(checkout, `bench/results/${bench}.json`), 'utf8')));
  if (process.env.DEVSERVER_WRITE_DOCS === '1') writeFileSync(page, made);
  expect(readFileSync(page, 'utf8')).toBe(made);
});

it('the pictures in docs/performance.md are there', () => {
  expect(existsSync(path.join(checkout, 'docs/figures/projects.svg'))).toBe(true);
});
