import { describe, expect, it } from 'vitest';
import { runList } from '../../src/commands/list.ts';
import { type Catalogue, loadCatalogue } from '../../src/kernel/catalogue/load.ts';
import { extraStacks, realCatalogue } from '../support/real.ts';
import { resultOf } from '../support/result.ts';
import { writeStacks } from '../support/stacks.ts';

const sha256 = '0'.repeat(64);
const ours = {
  components: {
    ci: {
      title: 'CI 3',
      licence: 'EPL-1.0',
      provides: ['ci'],
      support: { retired: true, protectedBy: 'a wall', instead: 'other' },
      install: {
        downloads: [
          { maven: 'org.example:ci-war:3.3.2:war', sha256, to: '/ci' },
          { npm: '@a/b', version: '1.2', sha256, to: '/b' },
          { pypi: 'C', version: '4', sha256, to: '/c' },
          { url: 'https://example.org/d.jar', sha256, to: '/d' },
        ],
      },
    },
    plain: { install: { packages: ['plain'] } },
    bare: { support: { retired: true, unproven: 'nobody cares' } },
  },
};
const list = (catalogue: Catalogue) => resultOf((output) => runList({ catalogue: () => catalogue, output }));
const fromOurs = 'unproven: it comes from a folder given with --stacks';

describe('list', () => {
  it('shows licence and state of each component, and the versions of what is pinned', () => {
    const { lines } = list(loadCatalogue([writeStacks(ours)]));
    expect(lines).toEqual([
      'Bases',
      '  debian-13  Debian 13 (trixie)  until 2028-08  proven',
      'Components, with the versions of what is pinned',
      '  bare   bare   Apache-2.0  unproven: nobody cares; retired upstream; unprotected',
      '  ci     CI 3   EPL-1.0     retired upstream; a wall; instead: other',
      '         ci-war 3.3.2, @a/b 1.2, C 4, https://example.org/d.jar',
      '  plain  plain  Apache-2.0  proven',
      expect.stringContaining('DIR/out/image.json'),
    ]);
  });

  it('gives the same as JSON', () => {
    const { value } = list(loadCatalogue([writeStacks(ours)]));
    expect(value).toEqual({
      bases: [
        {
          name: 'debian-13',
          title: 'Debian 13 (trixie)',
          suite: 'trixie',
          supportedUntil: '2028-08',
          proven: true,
          state: 'proven',
        },
      ],
      components: [
        expect.objectContaining({ name: 'bare', proven: false, retired: true }),
        {
          name: 'ci',
          title: 'CI 3',
          summary: 'ci of a test',
          licence: 'EPL-1.0',
          provides: ['ci'],
          versions: [
            { artifact: 'ci-war', version: '3.3.2' },
            { artifact: '@a/b', version: '1.2' },
            { artifact: 'C', version: '4' },
            { artifact: 'https://example.org/d.jar' },
          ],
          proven: true,
          retired: true,
          state: 'retired upstream; a wall; instead: other',
        },
        expect.objectContaining({ name: 'plain', versions: [], proven: true, retired: false }),
      ],
    });
  });

  it('calls what a further folder brings unproven, with its own reason where it gives one', () => {
    const base = {
      ...{ name: 'mine-1', title: 'Mine', distribution: 'mine', suite: 's', architecture: 'amd64', packageComponents: ['main'] },
      ...{ keyring: { file: '/k', package: 'k' }, supportedUntil: '2030-01', packages: [], roles: {} },
      kernel: { arguments: '', keep: [], required: [] },
    };
    const theirs = writeStacks({
      onlyComponents: true,
      components: { mine: {}, old: { support: { retired: true } }, known: { support: { unproven: 'too new' } } },
      files: { 'bases/mine.yaml': JSON.stringify(base) },
    });
    const catalogue = loadCatalogue([writeStacks(ours), theirs]);
    const { lines, value } = list(catalogue);
    expect(lines).toContain(`  mine   mine   Apache-2.0  ${fromOurs}`);
    expect(lines).toContain(`  old    old    Apache-2.0  ${fromOurs}; retired upstream; unprotected`);
    expect(lines).toContain('  known  known  Apache-2.0  unproven: too new');
    expect(lines).toContain('  plain  plain  Apache-2.0  proven');
    expect(lines).toContain(`  mine-1     Mine                until 2030-01  ${fromOurs}`);
    expect(value).toMatchObject({
      bases: [
        { name: 'debian-13', proven: true },
        { name: 'mine-1', proven: false, state: fromOurs },
      ],
    });
  });

  it('tells the pinned versions of the real components, and the extra one as unproven', () => {
    const catalogue = realCatalogue(extraStacks);
    const { lines, value } = list(catalogue);
    const text = lines.join('\n');
    for (const [name, version] of [
      ['archiva', 'archiva-webapp 2.1.0'],
      ['hudson', 'hudson-war 3.3.2'],
      ['tomcat', 'tomcat 9.'],
      ['trac', 'TracMercurial 1.0.0.12'],
    ] as const) {
      expect(text).toMatch(new RegExp(`^ {2}${name} .*\\n {4}.*${version.replaceAll('.', '\\.')}`, 'm'));
    }
    expect(text).toMatch(new RegExp(`^ {2}hello .* ${fromOurs}$`, 'm'));
    const { components } = value as { components: { name: string; proven: boolean; licence: string }[] };
    expect(components.filter(({ proven }) => !proven).map(({ name }) => name)).toEqual(['jenkins', 'hello']);
    expect(components.map(({ name }) => name).sort()).toEqual([...catalogue.components.keys()].sort());
    for (const { licence } of components) expect(licence).not.toBe('');
  });
});
