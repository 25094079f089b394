import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { artifactLayer, filesOf } from '../../src/image/artifacts.ts';
import { openCache } from '../../src/image/cache.ts';
import { listTar } from '../../src/image/tar.ts';
import { tarFromBytes } from '../../src/image/tar-source.ts';
import { tarEnd, tarHeader } from '../../src/image/tar-write.ts';
import type { Download } from '../../src/plan/plan.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'artifacts-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const text = (value: string) => new TextEncoder().encode(value);
const wanted = (unpack: Download['unpack']): Download => ({
  component: 'demo',
  source: { url: 'http://x/app.war' },
  sha256: '0',
  ...(unpack === undefined ? {} : { unpack }),
});

function archive(bytes: Uint8Array): string {
  const file = path.join(dir, 'archive');
  writeFileSync(file, bytes);
  return file;
}

/** A tar.gz with names as given, which our own writer would clean. */
function tarGz(entries: readonly { name: string; type?: '0' | '1' | '2' | '3'; content?: string }[]): string {
  const blocks = entries.map(({ name, type = '0', content = '' }) => {
    const header = tarHeader({
      kind: 'file',
      path: 'x',
      target: '',
      size: content.length,
      mode: 0o755,
      uid: 5,
      gid: 5,
    });
    header.fill(0, 0, 100).write(name, 0);
    header.write(type, 156).toString();
    header.write('target', 157);
    header.write('        ', 148);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const data = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    data.write(content);
    return Buffer.concat([header, data]);
  });
  return archive(gzipSync(Buffer.concat([...blocks, tarEnd])));
}

test('strip, only and without choose what is unpacked', async () => {
  const file = archive(
    zipSync({
      'top/a/one': text('1'),
      'top/a/two': text('2'),
      'top/b/three': text('3'),
      'top/ab': text('4'),
      loose: text('5'),
    }),
  );
  const files = await filesOf(wanted({ into: '/opt/app', strip: 1, only: ['a', 'ab'], without: ['a/two'] }), file);
  expect(files.map((it) => it.path)).toEqual(['/opt/app/a/one', '/opt/app/ab']);
});

test('the layer belongs to root, executables stay executable', async () => {
  const file = tarGz([{ name: 'app/bin/run', content: '#!/bin/sh\n' }]);
  const layer = await artifactLayer(wanted({ into: '/opt', strip: 1 }), file, await openCache(dir));
  const entries = await listTar(tarFromBytes(readFileSync(layer.path)));
  expect(entries).toMatchObject([{ path: 'opt/bin/run', mode: 0o755, uid: 0, gid: 0 }]);
});

test('one file goes where to: says, under its own name behind a slash', async () => {
  const file = archive(text('x'));
  const placed = async (to: string) => (await filesOf({ ...wanted(undefined), to }, file))[0]?.path;
  expect(await placed('/opt/lib/')).toBe('/opt/lib/app.war');
  expect(await placed('/opt/lib/other.war')).toBe('/opt/lib/other.war');
});

test.each([
  ['a climbing path', '../etc/passwd', '0'],
  ['a climbing path inside', 'a/../../etc/passwd', '0'],
  ['an absolute path', '/etc/passwd', '0'],
  ['a link', 'a', '2'],
  ['a hard link', 'a', '1'],
  ['a device', 'a', '3'],
] as const)('a tar.gz with %s is refused', async (_what, name, type) => {
  const failing = filesOf(wanted({ into: '/opt' }), tarGz([{ name: 'fine' }, { name, type }]));
  await expect(failing).rejects.toThrow('which is refused');
});

test.each(['../x', 'a/../../x', '/x', 'a\\..\\..\\x'])('a zip with the path %s is refused', async (name) => {
  await expect(filesOf(wanted({ into: '/opt' }), archive(zipSync({ [name]: text('') })))).rejects.toThrow('which is refused');
});

test('a zip with a symbolic link is refused', async () => {
  const bytes = zipSync({ a: [text('/etc/passwd'), { os: 3, attrs: 0o120777 << 16 }] });
  await expect(filesOf(wanted({ into: '/opt' }), archive(bytes))).rejects.toThrow('holds a link');
});

test('a zip that is damaged, or packed otherwise than zips are, is told as that', async () => {
  const whole = Buffer.from(zipSync({ a: text('one and one and one and one'), b: text('two') }));
  const unpacked = (bytes: Buffer): Promise<unknown> => filesOf(wanted({ into: '/opt' }), archive(bytes));
  const damaged = { exitCode: 3, message: "app.war begins as a zip and can't be read as one" };
  await expect(unpacked(whole.subarray(0, whole.length - 30))).rejects.toMatchObject(damaged);
  const torn = Buffer.from(whole);
  // in the middle of what is deflated, behind the first local header and its name of one letter
  torn.fill(0xff, 31, 36);
  await expect(unpacked(torn)).rejects.toMatchObject(damaged);
  const other = Buffer.from(whole);
  other.writeUInt16LE(12, other.indexOf(Buffer.from('504b0102', 'hex')) + 10);
  await expect(unpacked(other)).rejects.toThrow('packed otherwise than by deflate');
});

test('what is no archive is refused', async () => {
  await expect(filesOf(wanted({ into: '/opt' }), archive(text('hello')))).rejects.toThrow('neither a zip nor a tar.gz');
});

test('texts are replaced when they are there as often as said', async () => {
  const file = archive(zipSync({ 'web.xml': text('<a/><a/>$&'), other: text('<a/>') }));
  const replaced = (count: number, name = 'web.xml') =>
    filesOf(wanted({ into: '/opt', replace: [{ file: name, from: '<a/>', to: '<b>$&</b>', count }] }), file);
  const found = (await replaced(2)).find((it) => it.path === '/opt/web.xml');
  expect(Buffer.from(found?.content ?? []).toString()).toBe('<b>$&</b><b>$&</b>$&');
  await expect(replaced(1)).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining('2 times instead of 1'),
  });
  await expect(replaced(1, 'missing')).rejects.toThrow('there is no such file');
});
