import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import path from 'node:path';

/** File systems that show the kernel's own things: Linux' magic numbers of proc, sysfs and cgroup2. */
const notForFiles = [0x9fa0, 0x62656572, 0x63677270];

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
