import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { permissionsPage } from '../../src/plan/permissions.ts';
import { checkout, realCatalogue, selectReal } from '../support/real.ts';

const page = path.join(checkout, 'docs/permissions.md');

it('docs/permissions.md is made from the access tables of the default stack', () => {
  const made = permissionsPage(selectReal(realCatalogue(), {}).components);
  if (process.env.DEVSERVER_WRITE_DOCS === '1') writeFileSync(page, made);
  expect(readFileSync(page, 'utf8')).toBe(made);
});
