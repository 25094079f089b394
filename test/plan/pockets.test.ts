import { expect, it } from 'vitest';
import { findPockets } from '../../src/plan/pockets.ts';
import { realCatalogue } from '../support/real.ts';

const { bases } = realCatalogue();
const baseOf = (name: string) => {
  const base = bases.get(name);
  if (base === undefined) throw new Error(`no base ${name}`);
  return base;
};

it.each([
  [
    'debian-13',
    'http://m.test/debian/',
    ['http://m.test/debian trixie-updates', 'http://m.test/debian-security trixie-security'],
  ],
  ['debian-13', 'http://m.test', ['http://m.test trixie-updates', 'http://m.test/debian-security trixie-security']],
  ['ubuntu-26.04', 'http://m.test/u', ['http://m.test/u resolute-updates', 'http://m.test/u resolute-security']],
  ['ubuntu-24.04', 'http://m.test/u', ['http://m.test/u noble-updates', 'http://m.test/u noble-security']],
])('of %s on %s are looked for where mirrors keep them', async (name, mirror, expected) => {
  const { there, missing } = await findPockets(baseOf(name), mirror, async (_archive, suite) => suite.endsWith('-security'));
  const asText = (pockets: typeof there) => pockets.map(({ url, suite }) => `${url} ${suite}`);
  expect(asText(missing)).toEqual(expected.slice(0, 1));
  expect(asText(there)).toEqual(expected.slice(1));
});

it('name the suite that security updates come from', () => {
  for (const base of bases.values())
    expect(
      base.pockets.some(({ suite }) => base.values.updateOrigins?.includes(suite)),
      base.name,
    ).toBe(true);
});
