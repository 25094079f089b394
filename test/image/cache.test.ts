import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cacheKey, openCache } from '../../src/image/cache.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'cache-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('an entry is made once', async () => {
  const cache = await openCache(dir);
  const first = await cache.getOrMake('layer', 'k', (file) => writeFile(file, 'one'));
  const second = await cache.getOrMake('layer', 'k', (file) => writeFile(file, 'two'));
  expect([first.cached, second.cached]).toEqual([false, true]);
  expect(readFileSync(second.path, 'utf8')).toBe('one');
  expect(await cache.has('layer', 'k')).toBe(true);
});

test('a file that is named by its digest and has become another is made anew', async () => {
  const cache = await openCache(dir);
  const key = createHash('sha256').update('one').digest('hex');
  const get = () => cache.getOrMakeFile('deb', key, (file) => writeFile(file, 'one'));
  const { path: file } = await get();
  expect((await get()).cached).toBe(true);
  writeFileSync(file, 'onf');
  expect((await get()).cached).toBe(false);
  expect(readFileSync(file, 'utf8')).toBe('one');
  // as a power cut may leave it
  writeFileSync(file, '');
  expect((await get()).cached).toBe(false);
  expect((await get()).cached).toBe(true);
});

test('a failure leaves nothing', async () => {
  const cache = await openCache(dir);
  const failing = cache.getOrMake('layer', 'k', async (file) => {
    await writeFile(file, 'half');
    throw new Error('broken off');
  });
  await expect(failing).rejects.toThrow('broken off');
  expect(readdirSync(dir)).toEqual(['layer']);
  expect(readdirSync(path.join(dir, 'layer'))).toEqual([]);
});

test.each(['file', 'folder'])('two builds that make the same %s at once both get it', async (form) => {
  const [one, two] = await Promise.all([openCache(dir), openCache(dir)]);
  const make = async (target: string) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (form === 'folder') await mkdir(target);
    await writeFile(form === 'folder' ? path.join(target, 'x') : target, 'same');
  };
  const entries = await Promise.all([one.getOrMake('tools', 'k', make), two.getOrMake('tools', 'k', make)]);
  const file = form === 'folder' ? path.join(entries[0].path, 'x') : entries[0].path;
  expect(entries[0].path).toBe(entries[1].path);
  expect(readFileSync(file, 'utf8')).toBe('same');
  expect(readdirSync(dir)).toEqual(['tools']);
});

test('opening sweeps what dead processes left and what is a day old', async () => {
  writeFileSync(path.join(dir, 'tmp-4194305-dead'), '');
  writeFileSync(path.join(dir, `tmp-${process.pid}-mine`), '');
  writeFileSync(path.join(dir, `tmp-${process.pid}-old`), '');
  const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600;
  utimesSync(path.join(dir, `tmp-${process.pid}-old`), twoDaysAgo, twoDaysAgo);
  await openCache(dir);
  expect(readdirSync(dir)).toEqual([`tmp-${process.pid}-mine`]);
});

test('keys depend on bytes, not on the type that holds them', () => {
  expect(cacheKey({ content: Buffer.from('a') })).toBe(cacheKey({ content: new Uint8Array([97]) }));
  expect(cacheKey({ content: Buffer.from('a') })).not.toBe(cacheKey({ content: Buffer.from('b') }));
});
