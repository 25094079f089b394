import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from './atomic-file.ts';
import { DriverError } from './driver-kit.ts';

/** Something in a project's data that follows from its facts; `path` is below the data's directory. */
export type Derived = { readonly path: string } & (
  | { readonly is: 'file'; readonly text: string; readonly mode: number }
  | { readonly is: 'link'; readonly to: string }
  | { readonly is: 'empty-folder'; readonly mode: number }
  | { readonly is: 'absent' }
);

/** Makes each thing so, over whatever is there; what is so already is not touched. */
export function setDerived(place: string, things: readonly Derived[]): void {
  for (const thing of things) if (faultOf(place, thing) !== undefined) setOne(place, thing);
}

/** In which way the first thing that is not so is not so; undefined: all are. Follows no link and waits for nothing. */
export function derivedFault(place: string, things: readonly Derived[]): string | undefined {
  for (const thing of things) {
    const fault = faultOf(place, thing);
    if (fault !== undefined) return `${thing.path} ${fault}`;
  }
  return undefined;
}

/** The text of a plain file, never of what a link or a pipe in its place leads to. Undefined: there is none, or it is huge. */
export function readPlain(file: string, limit = 1024 * 1024): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const seen = fstatSync(descriptor);
    return seen.isFile() && seen.size <= limit ? readFileSync(descriptor, 'utf8') : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function setOne(place: string, thing: Derived): void {
  const parent = strangeParent(place, thing.path);
  if (parent !== undefined) throw new DriverError(`${parent} is not a directory`, 'somebody put it there by hand: look at it');
  const target = path.join(place, thing.path);
  // a file takes a file's place in one step; everything else has to go first
  if (thing.is !== 'file' || lstatSync(target, { throwIfNoEntry: false })?.isDirectory() === true) clear(target);
  if (thing.is === 'file') writeFileAtomically(target, thing.text, thing.mode);
  if (thing.is === 'link') symlinkSync(thing.to, target);
  if (thing.is !== 'empty-folder') return;
  mkdirSync(target);
  chmodSync(target, thing.mode);
}

/** Root's own directory in the way can't be emptied by a driver, but it can be given another name. */
function clear(target: string): void {
  try {
    rmSync(target, { recursive: true, force: true });
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    renameSync(target, `${target}.by-hand-${Date.now()}`);
  }
}

function faultOf(place: string, thing: Derived): string | undefined {
  const parent = strangeParent(place, thing.path);
  if (parent !== undefined) return 'lies below something that is not a directory';
  const target = path.join(place, thing.path);
  const seen = lstatSync(target, { throwIfNoEntry: false });
  if (thing.is === 'absent') return seen === undefined ? undefined : 'is there, and should not be';
  if (seen === undefined) return 'is missing';
  switch (thing.is) {
    case 'link':
      return seen.isSymbolicLink() && readlinkSync(target) === thing.to ? undefined : `is no link to ${thing.to}`;
    case 'empty-folder':
      if (!seen.isDirectory()) return 'is not a directory';
      return strangeRights(seen, thing.mode) ?? (readdirSync(target).length === 0 ? undefined : 'is not empty');
    case 'file':
      if (!seen.isFile()) return 'is not a file';
      return strangeRights(seen, thing.mode) ?? (readPlain(target) === thing.text ? undefined : 'was changed');
  }
}

function strangeRights({ uid, gid, mode }: Stats, wanted: number): string | undefined {
  if (uid !== process.geteuid?.() || gid !== process.getegid?.()) return 'belongs to another account';
  const present = mode & 0o7777;
  return present === wanted ? undefined : `has the mode ${octal(present)} instead of ${octal(wanted)}`;
}

/** The first directory on the way that is something else: what is done below it would be done elsewhere. */
function strangeParent(place: string, below: string): string | undefined {
  const parts = below.split('/').slice(0, -1);
  const parents = parts.map((_, index) => path.join(place, ...parts.slice(0, index + 1)));
  return parents.find((it) => lstatSync(it, { throwIfNoEntry: false })?.isDirectory() === false);
}

const octal = (mode: number): string => `0${mode.toString(8)}`;
