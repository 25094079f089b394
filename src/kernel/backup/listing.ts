import { createHash } from 'node:crypto';

/** Of a part's entries: a folder, a file, a file that is executable. */
export type EntryKind = 'd' | 'f' | 'x';

/** An entry as the listing names it. Paths are bytes: each character of `path` stands for one (latin1). */
export interface ListedEntry {
  readonly kind: EntryKind;
  readonly path: string;
  /** Bytes; 0 of a folder. */
  readonly size: number;
  /** SHA-256 of the content in hex; `-` of a folder. */
  readonly sha256: string;
}

/** What is taken of the entries of one part while they pass; they come in the order of `compareBytePaths`. */
export interface Listing {
  readonly add: (entry: ListedEntry) => void;
  readonly summary: () => { readonly entries: number; readonly bytes: number; readonly digest: string };
}

/** Starts the listing of one part. */
export function startListing(): Listing {
  const hash = createHash('sha256');
  let entries = 0;
  let bytes = 0;
  return {
    add: ({ kind, path, size, sha256 }) => {
      entries += 1;
      bytes += size;
      const shown = path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
      hash.update(`${kind} ${size} ${sha256} ${shown}\n`, 'latin1');
    },
    summary: () => ({ entries, bytes, digest: `sha256:${hash.copy().digest('hex')}` }),
  };
}

/**
 * The order of a part's entries: that of their bytes, where the slash is lower than every other, so that a folder is
 * followed by all it holds. Both are latin1; negative: `a` comes first.
 */
export function compareBytePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const difference = rank(a.charCodeAt(index)) - rank(b.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const slash = 0x2f;
const rank = (byte: number): number => (byte === slash ? 0 : byte);
