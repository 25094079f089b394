import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, mkdtemp, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeFolder } from '../kernel/folder.ts';
import { digestOf } from './digest.ts';

/** What the store holds; each kind is a folder. */
export const cacheKinds = ['tools', 'download', 'deb', 'control', 'layer', 'artifact', 'programs'] as const;
export type CacheKind = (typeof cacheKinds)[number];

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
  /**
   * The same for a file whose key is the SHA-256 of its content: one that was there is held against it, and made anew when it
   * has become another.
   */
  readonly getOrMakeFile: (kind: CacheKind, sha256: string, make: (temporary: string) => Promise<void>) => Promise<CacheEntry>;
  /** Whether an entry is there. */
  readonly has: (kind: CacheKind, key: string) => Promise<boolean>;
}

/** Opens the store at `folder` and sweeps what killed builds left. */
export async function openCache(folder: string): Promise<Cache> {
  const dir = path.resolve(folder);
  makeFolder(dir);
  await sweepTemporaries(dir);
  const getOrMake: Cache['getOrMake'] = async (kind, key, make) => {
    const target = path.join(dir, kind, key);
    if (await exists(target)) {
      await noteUse(target);
      return { path: target, cached: true };
    }
    makeFolder(path.dirname(target));
    const temporary = path.join(dir, temporaryName());
    try {
      await make(temporary);
      // a folder taken out of an archive has the time it has there
      await noteUse(temporary);
      await settle(temporary, target);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    return { path: target, cached: false };
  };
  return {
    has: (kind, key) => exists(path.join(dir, kind, key)),
    getOrMake,
    getOrMakeFile: async (kind, sha256, make) => {
      const checked = async (temporary: string): Promise<void> => {
        await make(temporary);
        if ((await digestOf(temporary)) !== sha256) throw new Error(`${sha256} was not written as it came`);
      };
      const entry = await getOrMake(kind, sha256, checked);
      if (!entry.cached || (await digestOf(entry.path).catch(() => undefined)) === sha256) return entry;
      await rm(entry.path, { force: true });
      return getOrMake(kind, sha256, checked);
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
export function temporaryName(prefix = 'tmp-'): string {
  return `${prefix}${process.pid}-${randomBytes(6).toString('hex')}`;
}

const openPrefix = 'devserver-tmp-';

/** A folder that every account may enter, outside the user's home, for what other accounts read; what killed ones left goes first. */
export async function openFolder(): Promise<string> {
  await sweepTemporaries(tmpdir(), openPrefix);
  const folder = await mkdtemp(path.join(tmpdir(), `${openPrefix}${process.pid}-`));
  await chmod(folder, 0o755);
  return folder;
}

/** Removes temporaries in `dir` whose process is gone or that are older than a day. */
export async function sweepTemporaries(dir: string, prefix = 'tmp-'): Promise<void> {
  for (const name of await readdir(dir)) {
    const pid = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (pid === undefined) continue;
    const file = path.join(dir, name);
    const age = Date.now() - ((await stat(file).catch(() => undefined))?.mtimeMs ?? 0);
    const isLeft = age > dayInMs || !isAlive(Number(pid));
    // A tree that something is still mounted in must not be emptied: that would empty what is mounted.
    if (!isLeft || (await hasMountBelow(file))) continue;
    await rm(file, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** What is used is not pruned; where that can't be noted it is used all the same. */
async function noteUse(place: string): Promise<void> {
  await utimes(place, new Date(), new Date()).catch(() => undefined);
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
