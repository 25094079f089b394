import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { Lock, LockedPackage } from '../lock/lock-file.ts';
import type { Cache } from './cache.ts';
import type { ImageContext } from './context.ts';
import { fetchToFile } from './fetch.ts';

/** A package file in the cache. */
export interface Deb {
  readonly locked: LockedPackage;
  readonly file: string;
  /** Its control fields, as text. */
  readonly control: string;
}

/** How many are fetched at a time. */
const atOnce = 6;

export interface DebsOptions {
  readonly lock: Lock;
  readonly packages: readonly LockedPackage[];
  /** Address of the snapshot service, with `{archive}` and `{time}`. */
  readonly snapshot?: string | undefined;
  /** For messages: the stage that wants them. */
  readonly stage: string;
}

/**
 * The locked packages, from the cache, from where the lock found them, or from the snapshot of that day; each by its digest.
 * @throws UserError naming every one that is nowhere any more.
 */
export async function fetchDebs(
  { lock, packages, snapshot, stage }: DebsOptions,
  cache: Cache,
  context: ImageContext,
): Promise<Deb[]> {
  const debs: Deb[] = [];
  const gone: string[] = [];
  const waiting = [...packages];
  let done = 0;
  // one failure ends the others, too, before anybody is told
  const ending = new AbortController();
  const { signal } = ending;
  setMaxListeners(0, signal);
  // not AbortSignal.any: Node 20 forgets a signal that is made of another such one
  const end = (): void => ending.abort(new UserError('interrupted', { exitCode: exitCodes.interrupted }));
  if (context.signal?.aborted === true) end();
  context.signal?.addEventListener('abort', end, { once: true });
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const locked = next;
      const urls = addressesOf(locked, lock, snapshot);
      try {
        const { path: file } = await cache.getOrMakeFile('deb', locked.sha256, (temporary) =>
          fetchFirst(urls, locked, temporary, { ...context, signal }),
        );
        debs.push({ locked, file, control: await controlOf(locked, file, cache, context) });
      } catch (error) {
        if (!(error instanceof Gone)) throw error;
        gone.push(`${locked.name} ${locked.version} (${locked.sha256}): ${urls.join(', ')}`);
      }
      done += 1;
      context.report({ type: 'progress', name: stage, text: locked.name, fraction: done / packages.length });
    }
  };
  const guarded = (): Promise<void> =>
    worker().catch((error: unknown) => {
      waiting.length = 0;
      if (!ending.signal.aborted) ending.abort(error);
    });
  await Promise.all(Array.from({ length: atOnce }, guarded));
  context.signal?.removeEventListener('abort', end);
  if (ending.signal.aborted) throw ending.signal.reason;
  if (gone.length > 0) throw vanished(gone.sort(), context.cache);
  return debs.sort((a, b) => (a.locked.name < b.locked.name ? -1 : 1));
}

/** Every place that may have it says that it does not. */
class Gone extends UserError {}

function vanished(gone: readonly string[], cache: string): UserError {
  return new UserError(`${gone.length} of the locked packages can't be had any more`, {
    details: gone,
    hint: `upgrade-lock takes newer ones; to build these, put the files, named by their digests, into ${cache}/deb`,
  });
}

/** Where a package may be, the likeliest first; what was published on that day may be in the next snapshot only. */
export function addressesOf({ from, path }: LockedPackage, { archives, made }: Lock, snapshot: string | undefined): string[] {
  const at = archives[from] ?? '';
  const below = path.split('/').map(encodeURIComponent).join('/');
  const days = snapshot === undefined ? [] : [0, 1];
  const then = days.map((day) => {
    const time = new Date(Date.parse(made) + day * 86_400_000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    return (snapshot ?? '').replace('{archive}', at.split('/').at(-1) ?? '').replace('{time}', time);
  });
  return [at, ...then].map((it) => `${it}/${below}`);
}

async function fetchFirst(
  urls: readonly string[],
  locked: LockedPackage,
  file: string,
  { signal, report }: ImageContext,
): Promise<void> {
  let other: UserError | undefined;
  for (const url of urls) {
    try {
      report({ type: 'log', text: `fetching ${url}` });
      const got = await fetchToFile(url, file, { signal });
      if (got.sha256 === locked.sha256) return;
      other ??= new UserError(`${url} is another file than the lock says`, {
        details: [`expected ${locked.sha256}`, `found    ${got.sha256}`],
        hint: 'something on the way answers in place of the archive, or the archive has changed it: compare them',
      });
    } catch (error) {
      if (!(error instanceof UserError) || signal?.aborted === true) throw error;
      // one that can't be reached, or refuses, says nothing about what is gone
      if (!/ answered (?:404|410)\b/.test(error.message)) other ??= error;
    }
  }
  throw other ?? new Gone(`${locked.name} is nowhere`);
}

/** Read once of each file, and kept with a digest of what was read. */
async function controlOf({ sha256 }: LockedPackage, file: string, cache: Cache, { system }: ImageContext): Promise<string> {
  const make = async (temporary: string): Promise<void> => {
    const { stdout } = await system.run({ file: 'dpkg-deb', args: ['--field', file] });
    const text = `${stdout.trim()}\n`;
    await writeFile(temporary, `${digestOf(text)}\n${text}`);
  };
  for (const isLast of [false, true]) {
    const entry = await cache.getOrMake('control', sha256, make);
    const whole = await readFile(entry.path, 'utf8');
    const text = whole.slice(whole.indexOf('\n') + 1);
    if (whole.startsWith(`${digestOf(text)}\n`)) return text;
    if (isLast) break;
    await rm(entry.path, { force: true });
  }
  throw new Error(`what the package ${sha256} says of itself can't be kept`);
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
