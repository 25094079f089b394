import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { BackupFault } from '../../../src/kernel/backup/fault.ts';
import { acceptedHeader, acceptedManifest } from '../../../src/kernel/backup/own-members.ts';
import { bytesOf, headerOf, readTree, type TreeEntry } from '../../support/backup-tree.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What comes of a text: the reason, in words; anything but a fault of ours fails. */
function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof BackupFault) return `${error.reason}: ${error.message}`;
    throw error;
  }
  throw new Error('it was taken');
}

const header = headerOf(['system/core']);
const headerWith = (change: object): string => JSON.stringify({ ...header, ...change });
const summary = { entries: 0, bytes: 0, digest: `sha256:${'0'.repeat(64)}`, leftOut: [] as unknown[], leftOutCount: 0 };
const manifestWith = (part: object): string => JSON.stringify({ parts: { 'system/core': { ...summary, ...part } }, pause: 0 });
const file = (path: string, more: Partial<TreeEntry> = {}): TreeEntry => ({
  ...{ kind: 'f', path, mtime: 0, content: Buffer.from(path) },
  ...more,
});

describe('what a header or a manifest may hold', () => {
  it('is told in one sentence, whatever it is', () => {
    const bad = [
      '',
      'null',
      '[]',
      '"text"',
      '{"format":1}',
      headerWith({ parts: undefined }),
      headerWith({ parts: 'system/core' }),
      headerWith({ parts: [0] }),
      headerWith({ parts: ['system/core', 'system/core'] }),
      headerWith({ parts: ['../etc'] }),
      headerWith({ parts: ['projects/Shop/git'] }),
      headerWith({ needs: [{ toString: 1, valueOf: 1 }] }),
      headerWith({ needs: 'x' }),
      headerWith({ components: [] }),
      headerWith({ components: { git: { format: '1' } } }),
      headerWith({ host: '-' }),
      headerWith({ cut: 'yesterday' }),
      headerWith({ appliance: { release: 7 } }),
      headerWith({ consistent: 'maybe' }),
      headerWith({ format: '1' }),
    ];
    for (const text of bad)
      expect(
        refusal(() => acceptedHeader(text)),
        text,
      ).toMatch(/^refused: devserver\/header\.json/);
    for (const part of [{ digest: 'md5:1' }, { entries: -1 }, { bytes: 0.5 }, { leftOut: [1] }, { leftOut: undefined }])
      expect(refusal(() => acceptedManifest(manifestWith(part), header))).toMatch(/^refused: devserver\/manifest\.json/);
    expect(refusal(() => acceptedManifest('{"parts":{"system/other":{}},"pause":0}', header))).toContain('system/other');
    expect(acceptedManifest(manifestWith({ colour: 'red' }), header).parts['system/core']).toEqual(summary);
    expect(acceptedHeader(headerWith({ __proto__: { x: 1 }, constructor: 1 }))).toEqual(header);
  });

  it('costs no memory that its length does not tell', () => {
    const nested = '['.repeat(599_000) + ']'.repeat(599_000);
    const much = [
      headerWith({}).replace('"needs":[]', `"needs":${nested}`),
      headerWith({}).replace('"needs":[]', `"needs":[${'{},'.repeat(2_000_000)}{}]`),
      headerWith({}).replace('["system/core"]', `[${'0,'.repeat(1_900_000)}0]`),
      headerWith({}).replace('["system/core"]', `[${'"a",'.repeat(1_900_000)}"a"]`),
    ];
    const lists = [`[${'0,'.repeat(1_900_000)}0]`, `[${'"",'.repeat(20_000)}""]`];
    const reads = [
      ...much.map((text) => () => acceptedHeader(text)),
      ...lists.map((list) => () => acceptedManifest(manifestWith({}).replace('"leftOut":[]', `"leftOut":${list}`), header)),
    ];
    for (const read of reads) {
      // what earlier ones left is no cost of this one
      collectGarbage();
      const before = process.memoryUsage().rss;
      expect(refusal(read)).toMatch(/^refused: /);
      expect((process.memoryUsage().rss - before) / 1024 ** 2).toBeLessThan(256);
    }
  });
});

describe('what is written', () => {
  it('can be read, however deep, long, old or new it is', async () => {
    const folders = Array.from({ length: 1500 }, (_, index) =>
      file(`${'a/'.repeat(index)}a`, { kind: 'd', content: Buffer.alloc(0) }),
    );
    const long = file('n'.repeat(4096));
    const times = [-5, 0, 1.7, 2 ** 33 - 1, 2 ** 40].map((mtime, index) => file(`z${index}`, { mtime }));
    const read = await readTree(await bytesOf(new Map([['system/core', [...folders, long, ...times]]])));
    const entries = read.tree.get('system/core') ?? [];
    expect(read.damaged).toEqual([]);
    expect(entries.map(({ path }) => path)).toEqual([...folders, long, ...times].map(({ path }) => path));
    expect(entries.slice(-5).map(({ mtime }) => mtime)).toEqual([0, 0, 1, 2 ** 33 - 1, 2 ** 33 - 1]);
  });

  it('names what was left out, as far as a manifest has room', async () => {
    const names = Array.from({ length: 10_500 }, (_, index) => `link-${index}`);
    const parts = { short: names, long: [`\xff${'n'.repeat(4000)}`] };
    const bytes = await bytesOf(
      new Map([
        ['system/core', []],
        ['system/git', []],
      ]),
      headerOf(['system/core', 'system/git']),
      {
        'system/core': parts.short,
        'system/git': parts.long,
      },
    );
    const { manifest } = await readTree(bytes);
    expect(manifest.parts['system/core']).toMatchObject({ leftOutCount: 10_500, leftOut: names.slice(0, 10_000) });
    expect(manifest.parts['system/git']).toMatchObject({ leftOutCount: 1, leftOut: [] });
  });
});
