import { lstat, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type CacheKind, cacheKinds, sweepTemporaries, temporaryName } from './cache.ts';

/** Something in the cache. */
export interface CacheItem {
  readonly kind: CacheKind;
  readonly key: string;
  /** What it takes on the disk. */
  readonly bytes: number;
  /** When a build last took it. */
  readonly used: Date;
}

/** Everything in the cache at `dir`, what was used last first. */
export async function cacheContents(dir: string): Promise<CacheItem[]> {
  const items: CacheItem[] = [];
  for (const kind of cacheKinds)
    for (const key of await namesIn(path.join(dir, kind))) {
      const place = path.join(dir, kind, key);
      const stat = await lstat(place).catch(() => undefined);
      if (stat !== undefined) items.push({ kind, key, bytes: await bytesBelow(place), used: stat.mtime });
    }
  return items.sort((a, b) => b.used.getTime() - a.used.getTime());
}

/**
 * Deletes what no build has taken since `before`, and what killed builds left; gives what is gone. An entry goes under another
 * name first: nobody ever finds half of one.
 */
export async function pruneCache(dir: string, before: Date): Promise<CacheItem[]> {
  const gone: CacheItem[] = [];
  for (const item of (await cacheContents(dir)).filter(({ used }) => used < before)) {
    const away = path.join(dir, temporaryName());
    try {
      await rename(path.join(dir, item.kind, item.key), away);
    } catch (error) {
      // another one was quicker
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw error;
    }
    await rm(away, { recursive: true, force: true });
    gone.push(item);
  }
  if ((await namesIn(dir)).length > 0) await sweepTemporaries(dir);
  return gone;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function bytesBelow(place: string): Promise<number> {
  const stat = await lstat(place).catch(() => undefined);
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.blocks * 512;
  let bytes = stat.blocks * 512;
  for (const name of await namesIn(place)) bytes += await bytesBelow(path.join(place, name));
  return bytes;
}
