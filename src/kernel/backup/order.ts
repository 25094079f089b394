import { BackupFault } from './fault.ts';
import { limits, partsFolder } from './layout.ts';
import { compareBytePaths } from './listing.ts';
import type { TarMember } from './member.ts';

/** Where an entry belongs. */
export interface EntryPlace {
  readonly part: string;
  /** Below the part, latin1. */
  readonly path: string;
}

/** Holds what comes against the order that is written: parts as in the header, entries sorted, each in a folder before it. */
export interface Order {
  /** @throws BackupFault for a member that may not come here. */
  readonly accept: (member: TarMember) => EntryPlace;
}

/** Starts before the first part. */
export function startOrder(parts: readonly string[]): Order {
  const places = new Map(parts.map((name, index) => [name, index]));
  let at = -1;
  let last = '';
  /** Folders that the next entry may lie in, from the outermost on. */
  let open: string[] = [];
  return {
    accept: ({ path, kind }) => {
      const place = placeOf(path);
      const index = places.get(place.part);
      if (index === undefined) throw refused(path, 'belongs to no part');
      if (index < at) throw refused(path, 'comes too late');
      if (index > at) {
        at = index;
        last = '';
        open = [];
      }
      if (last !== '' && compareBytePaths(last, place.path) >= 0) throw refused(path, 'comes twice or too late');
      last = place.path;
      const parent = place.path.slice(0, Math.max(0, place.path.lastIndexOf('/')));
      while (open.length > 0 && open.at(-1) !== parent) open.pop();
      if (parent !== '' && open.length === 0) throw refused(path, 'lies in no folder of its part');
      if (kind === 'dir') open.push(place.path);
      return place;
    },
  };
}

function placeOf(path: string): EntryPlace {
  const words = path.split('/');
  if (words.some((it) => it === '' || it === '.' || it === '..') || path.includes('\0')) throw refused(path, 'is no plain path');
  const length = words[1] === 'projects' ? 4 : 3;
  if (words[0] !== partsFolder || words.length <= length) throw refused(path, 'belongs to no part');
  const place = { part: words.slice(1, length).join('/'), path: words.slice(length).join('/') };
  if (place.path.length > limits.pathBytes) throw refused(path, 'is too long');
  return place;
}

function refused(path: string, why: string): BackupFault {
  return new BackupFault('refused', `an entry of it ${why}: ${JSON.stringify(path.slice(0, 200))}`);
}
