import { createHash, randomBytes } from 'node:crypto';
import { access, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../kernel/folder.ts';

/** What the store holds; each kind is a folder. */
export type CacheKind = 'tools' | 'download' | 'layer' | 'artifact';

/** Where an entry lies and whether it was there already. */
export interface CacheEntry {
  readonly path: string;
  readonly cached: boolean;
}

/** Content-addressed store of what costs time to make. Safe for several builds at once. */
export interface Cache {
  /**
   * The entry of that key, made by `make(temporary path)` when absent. It appears under its name only when
   * complete; of two builds that make it at once, the first stays and the other's is thrown away.
   */
  readonly getOrMake: (kind: CacheKind, key: string, make: (temporary: string) => Promise<void>) => Promise<CacheEntry>;
  /** Whether an entry is there. */
  readonly has: (kind: CacheKind, key: string) => Promise<boolean>;
}

/** Opens the store at `folder` and sweeps what killed builds left. */
export async function openCache(folder: string): Promise<Cache> {
  const dir = path.resolve(folder);
  makeFolder(dir);
  await sweepTemporaries(dir);
  return {
    has: (kind, key) => exists(path.join(dir, kind, key)),
    getOrMake: async (kind, key, make) => {
      const target = path.join(dir, kind, key);
      if (await exists(target)) return { path: target, cached: true };
      makeFolder(path.dirname(target));
      const temporary = path.join(dir, temporaryName());
      try {
        await make(temporary);
        await settle(temporary, target);
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
      return { path: target, cached: false };
    },
  };
}

/** Key of an entry: SHA-256 (hex) of a description as JSON. Bytes count by their content. */
export function cacheKey(description: unknown): string {
  const text = JSON.stringify(description, (_name, value: unknown) =>
    value instanceof Uint8Array
      ? { bytes: createHash('sha256').update(value).digest('hex') }
      : isBufferJson(value)
        ? { bytes: createHash('sha256').update(Buffer.from(value.data)).digest('hex') }
        : value,
  );
  return createHash('sha256').update(text).digest('hex');
}

/** A name that says whose it is: `tmp-PID-RANDOM`. */
export function temporaryName(): string {
  return `tmp-${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** Removes temporaries in `dir` whose process is gone or that are older than a day. */
export async function sweepTemporaries(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const pid = /^tmp-(\d+)-/.exec(name)?.[1];
    if (pid === undefined) continue;
    const file = path.join(dir, name);
    const age = Date.now() - ((await stat(file).catch(() => undefined))?.mtimeMs ?? 0);
    const isLeft = age > dayInMs || !isAlive(Number(pid));
    // A tree that something is still mounted in must not be emptied: that would empty what is mounted.
    if (!isLeft || (await hasMountBelow(file))) continue;
    await rm(file, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function hasMountBelow(folder: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  return mounts.includes(`${folder}/`);
}

const dayInMs = 24 * 3600 * 1000;

/** Makes `temporary` durable, then gives it its name. */
async function settle(temporary: string, target: string): Promise<void> {
  await syncPath(temporary);
  try {
    // A rename would replace another build's equal file, but fails on its folder: whoever was first stays.
    if (!(await exists(target))) await rename(temporary, target);
  } catch (error) {
    if (!(await exists(target))) throw error;
  }
  await syncPath(path.dirname(target));
}

/** fsync of a file or folder. */
export async function syncPath(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** JSON.stringify calls a Buffer's toJSON before the replacer sees it. */
function isBufferJson(value: unknown): value is { type: 'Buffer'; data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
}
