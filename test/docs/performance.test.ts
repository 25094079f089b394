import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { type ProjectResults, performancePage } from '../../bench/support/page.ts';
import { checkout } from '../support/real.ts';

const page = path.join(checkout, 'docs/performance.md');

it('docs/performance.md is made from the results of the bench', () => {
  const results = readFileSync(path.join(checkout, 'bench/results/projects.json'), 'utf8');
  const made = performancePage(JSON.parse(results) as ProjectResults);
  if (process.env.DEVSERVER_WRITE_DOCS === '1') writeFileSync(page, made);
  expect(readFileSync(page, 'utf8')).toBe(made);
  expect(existsSync(path.join(checkout, 'docs/figures/projects.svg'))).toBe(true);
});
