import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCache } from '../../src/image/cache.ts';
import { cacheContents, pruneCache } from '../../src/image/cache-contents.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'cache-contents-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const day = 86_400_000;
/** An entry that was used so many days ago. */
function entry(kind: string, key: string, days: number, bytes = 10_000): string {
  const place = path.join(dir, kind, key);
  mkdirSync(path.dirname(place), { recursive: true });
  if (kind === 'tools') {
    mkdirSync(path.join(place, 'usr/bin'), { recursive: true });
    writeFileSync(path.join(place, 'usr/bin/tool'), Buffer.alloc(bytes, 1));
  } else writeFileSync(place, Buffer.alloc(bytes, 1));
  const then = new Date(Date.now() - days * day);
  utimesSync(place, then, then);
  return place;
}

describe('the cache', () => {
  it('is listed by what was used last, with what it takes', async () => {
    entry('deb', 'old', 50);
    entry('tools', 'newer', 2, 50_000);
    entry('layer', 'newest', 1);
    const items = await cacheContents(dir);
    expect(items.map(({ kind, key }) => `${kind} ${key}`)).toEqual(['layer newest', 'tools newer', 'deb old']);
    expect(items[1]?.bytes).toBeGreaterThanOrEqual(50_000);
    expect(await cacheContents(path.join(dir, 'none'))).toEqual([]);
  });

  it('loses what nobody has taken for a while, and what a killed build left', async () => {
    const old = [entry('deb', 'old', 50), entry('tools', 'old', 50)];
    const kept = [entry('deb', 'new', 5), entry('layer', 'taken', 50)];
    // a build takes it
    const cache = await openCache(dir);
    expect((await cache.getOrMake('layer', 'taken', () => Promise.reject(new Error('it is there')))).cached).toBe(true);
    writeFileSync(path.join(dir, 'tmp-999999999-x'), '');
    const gone = await pruneCache(dir, new Date(Date.now() - 30 * day));
    expect(gone.map(({ kind, key }) => `${kind} ${key}`).sort()).toEqual(['deb old', 'tools old']);
    for (const place of old) expect(existsSync(place), place).toBe(false);
    for (const place of kept) expect(existsSync(place), place).toBe(true);
    expect(readdirSync(dir).filter((name) => name.startsWith('tmp-'))).toEqual([]);
  });

  it('counts what is made as used, whatever time it brings', async () => {
    const cache = await openCache(dir);
    await cache.getOrMake('tools', 'new', async (temporary) => {
      mkdirSync(temporary);
      utimesSync(temporary, new Date(0), new Date(0));
    });
    expect(await pruneCache(dir, new Date(Date.now() - day))).toEqual([]);
  });

  it('may be pruned by two at once', async () => {
    for (let index = 0; index < 20; index += 1) entry('deb', `old-${index}`, 50);
    const [one, other] = await Promise.all([pruneCache(dir, new Date()), pruneCache(dir, new Date())]);
    expect((one?.length ?? 0) + (other?.length ?? 0)).toBe(20);
    expect(await cacheContents(dir)).toEqual([]);
  });
});
