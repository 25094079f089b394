import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/** A file that changed less than so many milliseconds ago may change again without another time. */
const racy = 2000;

export interface MirrorOptions {
  readonly now: () => Date;
  /** Asked before a file of so many bytes is copied; throws where it must not be. */
  readonly requireRoom: (bytes: number) => void;
  /** Asked from time to time; throws to end it. */
  readonly requireGoingOn: () => void;
  /** Told of what can't be copied because its path is too long. */
  readonly onLeftOut: (place: string) => void;
}

/** Names are bytes. */
type Place = Buffer;
const slash = Buffer.from('/');
const below = (place: Place, name: Buffer): Place => Buffer.concat([place, slash, name]);

/**
 * Makes `to` what `from` is, copying only what changed since it last did. A copy's time of last access is the moment at which
 * the original was last changed (its ctime, which nobody can set): that is how a change is seen, as long as nobody reads copies.
 * Of a copy nothing else counts than content, kind, whether it is executable and the time of its last change; what is neither
 * file nor folder becomes a link. Nobody who writes into `from` meanwhile can lead this elsewhere: each folder and file is
 * opened, without following links, and looked at before anything is done with it.
 * The folder above `to` has to be there, and to be root's alone.
 * @returns bytes that were copied.
 */
export async function mirror(from: string, to: string, options: MirrorOptions): Promise<number> {
  const { now, requireRoom, requireGoingOn, onLeftOut } = options;
  let steps = 0;
  let bytes = 0;

  const tree = async (source: Place, copy: Place): Promise<void> => {
    try {
      await entry(source, copy);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'ENAMETOOLONG') onLeftOut(copy.toString('utf8'));
      // it went or became another while it was looked at, as things do while nobody is held; the next time sees to it
      else if (!['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ESTALE', 'ENXIO'].includes(code)) throw error;
    }
  };

  const entry = async (source: Place, copy: Place): Promise<void> => {
    steps += 1;
    if (steps % 256 === 0) await turn();
    requireGoingOn();
    const looked = now().getTime();
    const is = statOf(source);
    const was = statOf(copy);
    if (is === undefined) return drop(copy, was);
    if (is.isDirectory()) return folder(source, copy, was);
    if (!is.isFile()) {
      drop(copy, was);
      symlinkSync(is.isSymbolicLink() ? readlinkSync(source, 'buffer') : 'neither file nor folder', copy);
      return;
    }
    if (was?.isFile() === true && isSame(is, was)) return;
    await opened(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, async (descriptor) => {
      const file = fstatSync(descriptor, { bigint: true });
      if (!file.isFile() || file.ino !== is.ino || file.dev !== is.dev) return;
      drop(copy, was);
      requireRoom(Number(file.size));
      await copyFile(`/proc/self/fd/${descriptor}`, copy, constants.COPYFILE_FICLONE);
      bytes += Number(file.size);
      const isSettled = file.ctimeNs === is.ctimeNs && looked - Number(is.ctimeMs) > racy;
      chmodSync(copy, isExecutable(is) ? 0o700 : 0o600);
      utimesSync(copy, isSettled ? secondsOf(is.ctimeNs) : 0, secondsOf(is.mtimeNs));
    });
  };

  const folder = async (source: Place, copy: Place, was: BigIntStats | undefined): Promise<void> =>
    opened(source, O_RDONLY | O_NOFOLLOW | O_DIRECTORY, async (descriptor) => {
      if (was?.isDirectory() !== true) {
        drop(copy, was);
        mkdirSync(copy, { mode: 0o700 });
      }
      const place = Buffer.from(`/proc/self/fd/${descriptor}`);
      const names = namesIn(place);
      const kept = new Set(names.map(latin));
      for (const name of namesIn(copy)) if (!kept.has(latin(name))) rmSync(below(copy, name), { recursive: true, force: true });
      for (const name of names) await tree(below(place, name), below(copy, name));
    });

  await tree(Buffer.from(path.resolve(from)), Buffer.from(to));
  return bytes;
}

/** Opens something for as long as that is worked with. */
async function opened(place: Place, flags: number, work: (descriptor: number) => Promise<void>): Promise<void> {
  const descriptor = openSync(place, flags);
  try {
    await work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const latin = (name: Buffer): string => name.toString('latin1');

function namesIn(place: Place): Buffer[] {
  return readdirSync(place, { encoding: 'buffer' });
}

function statOf(place: Place): BigIntStats | undefined {
  return lstatSync(place, { bigint: true, throwIfNoEntry: false });
}

function drop(place: Place, was: BigIntStats | undefined): void {
  if (was !== undefined) rmSync(place, { recursive: true, force: true });
}

/** Times are set as floating-point seconds, which are good to a microsecond. */
const secondsOf = (nanoseconds: bigint): number => Number(nanoseconds / 1000n) / 1e6;

const isExecutable = ({ mode }: BigIntStats): boolean => (mode & 0o100n) !== 0n;

function isSame(is: BigIntStats, copy: BigIntStats): boolean {
  const apart = is.ctimeNs - copy.atimeNs;
  return is.size === copy.size && isExecutable(is) === isExecutable(copy) && apart > -5000n && apart < 5000n;
}
