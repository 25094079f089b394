import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesLayer, merge, writeMerged } from '../../src/image/layers.ts';
import { mergeLayers } from '../../src/image/merge.ts';
import { listTar } from '../../src/image/tar.ts';
import { tarFromBytes } from '../../src/image/tar-source.ts';
import type { RootFile } from '../../src/plan/plan.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'layers-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const file = (name: string, text: string): RootFile => ({
  kind: 'file',
  path: name,
  mode: 0o644,
  uid: 0,
  gid: 0,
  content: Buffer.from(text),
});
const folder = (name: string, mode = 0o755): RootFile => ({ kind: 'dir', path: name, mode, uid: 0, gid: 0 });
const link = (name: string, target: string): RootFile => ({ kind: 'link', path: name, target });

async function merged(...layers: readonly (readonly RootFile[])[]) {
  const out = path.join(dir, 'merged.tar');
  const pieces: Buffer[] = [];
  const result = await writeMerged(
    await merge(layers.map((files, index) => filesLayer(`layer ${index}`, files))),
    async (piece) => void pieces.push(piece),
  );
  const bytes = Buffer.concat(pieces);
  writeFileSync(out, bytes);
  expect(result.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  const entries = await listTar(tarFromBytes(bytes));
  const textOf = (name: string) => {
    const entry = entries.find((it) => it.path === name);
    return entry && bytes.toString('utf8', entry.dataStart, entry.dataStart + entry.size);
  };
  return { out, entries, names: entries.map((it) => it.path), textOf };
}

test('a later file replaces an earlier one', async () => {
  const { names, textOf } = await merged([folder('/etc'), file('/etc/a', 'old'), file('/etc/b', 'b')], [file('/etc/a', 'new')]);
  expect(names).toEqual(['etc', 'etc/b', 'etc/a']);
  expect(textOf('etc/a')).toBe('new');
});

test('a later folder sets the mode, keeps its place and its contents', async () => {
  const { entries, names } = await merged([folder('/srv'), file('/srv/a', 'a')], [folder('/srv', 0o700)]);
  expect(names).toEqual(['srv', 'srv/a']);
  expect(entries[0]?.mode).toBe(0o700);
});

test('paths go through links of earlier layers, as on a real file system', async () => {
  const { names, textOf, out } = await merged(
    [
      folder('/usr'),
      folder('/usr/lib'),
      link('/lib', 'usr/lib'),
      folder('/run'),
      folder('/var'),
      link('/var/run', '/run'),
      file('/usr/lib/x', 'old'),
    ],
    [file('/lib/x', 'new'), file('/var/run/y', 'y'), folder('/lib'), folder('/lib/z')],
  );
  expect(names).toEqual(['usr', 'usr/lib', 'lib', 'run', 'var', 'var/run', 'usr/lib/x', 'run/y', 'usr/lib/z']);
  expect(textOf('usr/lib/x')).toBe('new');
  execFileSync('tar', ['-C', dir, '--no-same-owner', '-xf', out]);
  expect(readFileSync(path.join(dir, 'usr/lib/x'), 'utf8')).toBe('new');
});

test('missing parents are made', async () => {
  const { entries, names } = await merged([folder('/usr')], [file('/usr/share/a/b', 'b')]);
  expect(names).toEqual(['usr', 'usr/share', 'usr/share/a', 'usr/share/a/b']);
  expect(entries[2]).toMatchObject({ kind: 'dir', mode: 0o755, uid: 0, gid: 0 });
});

test('a folder with contents is not replaced by a file', async () => {
  await expect(merged([folder('/a'), file('/a/b', '')], [file('/a', '')])).rejects.toThrow(
    'layer 1 replaces the folder /a, which holds /a/b',
  );
  expect((await merged([folder('/a')], [file('/a', 'x')])).textOf('a')).toBe('x');
});

test('nothing can lie below a file', async () => {
  await expect(merged([file('/a', '')], [file('/a/b', '')])).rejects.toThrow('puts /a/b below /a, which is no folder');
});

test('a loop of links ends in a message', async () => {
  await expect(merged([link('/a', 'b'), link('/b', 'a')], [file('/a/x', '')])).rejects.toThrow('a loop of links');
});

test('the target of a hard link is not replaced', () => {
  const entry = { name: 'x', mode: 0o644, uid: 0, gid: 0, start: 0, dataStart: 512, size: 0, end: 512 };
  const original = { ...entry, path: 'bin/perl', kind: 'file', target: '' } as const;
  const hard = { ...entry, path: 'bin/perl5', kind: 'hardlink', target: './bin/perl' } as const;
  const layers = [
    { name: 'packages', entries: [original, hard] },
    { name: 'files', entries: [original] },
  ];
  expect(() => mergeLayers(layers)).toThrow('/bin/perl5 is a hard link to it');
});
