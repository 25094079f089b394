import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { Office } from '../../provision/api/office.ts';
import { openApi } from '../../provision/api/openapi.ts';
import { apiPage } from '../../provision/api/page.ts';
import { operationsOf } from '../../provision/api/routes.ts';
import { checkout } from '../support/real.ts';

const page = path.join(checkout, 'docs/api.md');
// only described here, never carried out
const operations = operationsOf({} as Office);

it('docs/api.md is made from the operations', () => {
  const made = apiPage(operations);
  if (process.env.DEVSERVER_WRITE_DOCS === '1') writeFileSync(page, made);
  expect(readFileSync(page, 'utf8')).toBe(made);
});

it('the description names every operation, its refusals, and the schemas of bodies', () => {
  const { paths } = openApi(operations, '1.0') as {
    paths: Record<string, Record<string, { requestBody?: object; responses: object }>>;
  };
  for (const { method, path: at, body } of operations) {
    const it = paths[`/api${at}`]?.[method.toLowerCase()];
    expect(Object.keys(it?.responses ?? {}), at).toEqual(['200', 'default']);
    expect(it?.requestBody !== undefined, at).toBe(body !== undefined);
  }
  expect(JSON.stringify(paths['/api/projects']?.post?.requestBody)).toContain('"visibility"');
});
