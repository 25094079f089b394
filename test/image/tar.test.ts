import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listTar } from '../../src/image/tar.ts';
import { tarFromBytes, tarFromFile } from '../../src/image/tar-source.ts';
import { tarBytes, tarEnd } from '../../src/image/tar-write.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'tar-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const long = `opt/${'folder-with-a-long-name/'.repeat(8)}ünïcode`;

test('the system tar reads what we write', () => {
  const archive = path.join(dir, 'own.tar');
  const content = Buffer.from('hello\n');
  writeFileSync(
    archive,
    Buffer.concat([
      tarBytes({ kind: 'dir', path: '/srv', mode: 0o750, uid: 700, gid: 701 }),
      tarBytes({ kind: 'file', path: '/srv/a', mode: 0o4755, uid: 700, gid: 0, content }),
      tarBytes({ kind: 'file', path: `/${long}`, mode: 0o644, uid: 0, gid: 0, content }),
      tarBytes({ kind: 'link', path: '/lib', target: 'usr/lib' }),
      tarBytes({ kind: 'link', path: '/far', target: `/${long}` }),
      tarEnd,
    ]),
  );
  const listing = execFileSync('tar', ['--numeric-owner', '--utc', '--full-time', '-tvf', archive], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  const lines = listing.trim().split('\n');
  expect(lines[0]).toMatch(/^drwxr-x--- 700\/701 +0 2026-01-01 00:00:00 srv\/$/);
  expect(lines[1]).toMatch(/^-rwsr-xr-x 700\/0 +6 .* srv\/a$/);
  expect(lines[2]).toContain(long);
  expect(lines[3]).toMatch(/^lrwxrwxrwx 0\/0 .* lib -> usr\/lib$/);
  expect(lines[4]).toContain(`far -> /${long}`);
  expect(execFileSync('tar', ['-xOf', archive, long])).toEqual(content);
});

test.each(['pax', 'gnu', 'ustar'])('we read what the system tar writes as %s', async (format) => {
  const names = ['a', 'd/b', ...(format === 'ustar' ? [] : [long])];
  const tree = path.join(dir, 'tree');
  execFileSync('mkdir', ['-p', path.join(tree, 'd'), path.dirname(path.join(tree, long))]);
  for (const name of names) writeFileSync(path.join(tree, name), `content of ${name}`);
  execFileSync('ln', ['-s', 'a', path.join(tree, 'link')]);
  execFileSync('ln', [path.join(tree, 'a'), path.join(tree, 'z-hard')]);
  const archive = path.join(dir, 'theirs.tar');
  execFileSync('tar', [
    '-C',
    tree,
    `--format=${format}`,
    '--sort=name',
    '-cf',
    archive,
    ...(format === 'ustar' ? ['./a', './d', './link', './z-hard'] : ['.']),
  ]);
  const source = await tarFromFile(archive);
  const entries = await listTar(source);
  for (const name of names) {
    const entry = entries.find((it) => it.path === name);
    expect(entry?.kind).toBe('file');
    const content = await source.read(entry?.dataStart ?? 0, entry?.size ?? 0);
    expect(content.toString()).toBe(`content of ${name}`);
  }
  expect(entries.find((it) => it.path === 'link')).toMatchObject({ kind: 'link', target: 'a' });
  expect(entries.find((it) => it.path === 'z-hard')).toMatchObject({
    kind: 'hardlink',
    target: './a',
    size: 0,
  });
  // Entries follow one another without a gap, so that copying stretches loses nothing.
  expect(entries.slice(1).map((it) => it.start)).toEqual(entries.slice(0, -1).map((it) => it.end));
  await source.close();
});

test('a damaged header is refused', async () => {
  const bytes = Buffer.concat([tarBytes({ kind: 'dir', path: '/a', mode: 0o755, uid: 0, gid: 0 }), tarEnd]);
  bytes[5] = 0x41;
  await expect(listTar(tarFromBytes(bytes))).rejects.toThrow('damaged tar header');
});

test('an archive that ends too early is refused', async () => {
  const file = tarBytes({
    kind: 'file',
    path: '/a',
    mode: 0o644,
    uid: 0,
    gid: 0,
    content: Buffer.alloc(2000),
  });
  await expect(listTar(tarFromBytes(file.subarray(0, 1024)))).rejects.toThrow('ends within an entry');
});
