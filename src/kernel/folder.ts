import { accessSync, constants, mkdirSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { isDiskFull } from './disk-full.ts';
import { exitCodes, UserError } from './errors.ts';
import { refusedPath } from './system-error.ts';

/** File systems that show the kernel's own things: Linux' magic numbers of proc, sysfs and cgroup2. */
const notForFiles = [0x9fa0, 0x62656572, 0x63677270];

/**
 * Makes a folder that the user named, or one below it, with all above it; one that is there stays as it is.
 * Node's own recursive mkdir runs for ever below /proc, and calls a read-only btrfs a folder that is not there.
 * @param mode of those that are made, less what umask takes away.
 * @throws UserError (exit 2) with the reason; a full disk as it comes.
 */
export function makeFolder(folder: string, mode = 0o777): void {
  const whole = path.resolve(folder);
  if (isFolder(whole)) return;
  requireWritable(folder);
  const there = nearestThere(whole);
  const missing = path.relative(there, whole).split(path.sep);
  for (const index of missing.keys()) makeOne(folder, path.join(there, ...missing.slice(0, index + 1)), mode);
}

/** That a folder can be written, or made, before anything is begun. @throws UserError (exit 2) naming `flag` and folder. */
export function requireWritable(folder: string, flag?: string): void {
  const why = whyNotWritable(folder);
  if (why !== undefined) throw refused(flag === undefined ? folder : `${flag} ${folder}`, why);
}

function makeOne(folder: string, part: string, mode: number): void {
  try {
    mkdirSync(part, { mode });
  } catch (error) {
    // another command may have been faster
    if (isFolder(part)) return;
    if (isDiskFull(error)) throw error;
    const isTaken = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw refused(
      folder,
      isTaken ? `${part} is not a folder` : (refusedPath(error)?.message ?? `${part} can not be made`),
      error,
    );
  }
}

function refused(what: string, why: string, cause?: unknown): UserError {
  return new UserError(`${what}: ${why}`, { exitCode: exitCodes.usage, hint: 'name another folder', cause });
}

function isFolder(file: string): boolean {
  return isThere(file) && statSync(file).isDirectory();
}

/** Why nothing can be written into a folder, or a folder of that name be made; undefined: it can. */
export function whyNotWritable(folder: string): string | undefined {
  const there = nearestThere(path.resolve(folder));
  if (!statSync(there).isDirectory()) return `${there} is not a folder`;
  if (notForFiles.includes(statfsSync(there).type)) return `${there} is no place for files`;
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
    return undefined;
  } catch {
    return `${there} may not be written by this account, or is read-only`;
  }
}

/** The folder itself, or the nearest above it that exists. */
function nearestThere(folder: string): string {
  let there = folder;
  while (!isThere(there) && path.dirname(there) !== there) there = path.dirname(there);
  return there;
}

/** What can't be looked at, for a part of its path is a file or closed, counts as not there: the part itself is told. */
function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
