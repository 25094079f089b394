import { closeSync, constants, lstatSync, openSync, readdirSync, readSync, type Stats } from 'node:fs';
import { asideFolder } from '../../src/kernel/backup/layout.ts';
import { compareBytePaths, type EntryKind } from '../../src/kernel/backup/listing.ts';
import type { WrittenPart } from '../../src/kernel/backup/write.ts';
import { isData } from './data.ts';
import type { Part } from './parts.ts';
import type { PlacedEntry } from './warm.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** A part whose entries say where they lie. */
export interface PlacedPart extends WrittenPart {
  readonly entries: Iterable<PlacedEntry>;
}

/**
 * The entries of a part, in the order they are written. `placeIn` says where a root lies in the cut.
 * Names are bytes: each character of a path stands for one (latin1).
 */
export function entriesOf(part: Part, placeIn: (root: Part['roots'][number]) => string): PlacedPart {
  const leftOut: string[] = [];
  const places = new Map(part.roots.map((root) => [root.name, placeIn(root)]));
  const sourceOf = (path: string): string => {
    const slash = path.indexOf('/');
    const root = slash < 0 ? path : path.slice(0, slash);
    return `${places.get(root) ?? ''}${path.slice(root.length)}`;
  };
  // a link there is the appliance's own, and made again
  const aside = part.setAside.filter((path) => statOf(sourceOf(path))?.isSymbolicLink() === false).sort(compareBytePaths);
  const data = part.roots.map(({ name }) => name).filter((name) => isData(part, name));
  const top = [...data, ...(aside.length === 0 ? [] : [asideFolder])].sort();

  function* everything(): Generator<PlacedEntry> {
    for (const name of top) {
      if (name === asideFolder) yield* setAside();
      else yield* below(name, name, (path) => isData(part, path));
    }
  }

  /** Each with the folders it lies in, those once. */
  function* setAside(): Generator<PlacedEntry> {
    yield folder(asideFolder, 0);
    const made = new Set<string>();
    for (const path of aside) {
      const words = path.split('/');
      for (let length = 1; length < words.length; length += 1) {
        const parent = words.slice(0, length).join('/');
        if (!made.has(parent)) yield folder(`${asideFolder}/${parent}`, 0);
        made.add(parent);
      }
      yield* below(path, `${asideFolder}/${path}`, () => true);
    }
  }

  /** The entry at a path and, of a folder, all that counts below. */
  function* below(path: string, name: string, counts: (path: string) => boolean): Generator<PlacedEntry> {
    const source = sourceOf(path);
    let stat: Stats | undefined;
    try {
      stat = statOf(source);
    } catch (error) {
      if (!isTooLong(error)) throw error;
      leftOut.push(name);
    }
    if (stat === undefined) return;
    if (stat.isDirectory()) {
      yield folder(name, mtimeOf(stat));
      for (const child of readdirSync(Buffer.from(source, 'latin1'), { encoding: 'latin1' }).sort())
        if (counts(`${path}/${child}`)) yield* below(`${path}/${child}`, `${name}/${child}`, counts);
    } else if (stat.isFile()) yield file(name, source, stat);
    else leftOut.push(name);
  }

  return {
    leftOut: () => leftOut,
    entries: everything(),
  };
}

function statOf(place: string): Stats | undefined {
  return lstatSync(Buffer.from(place, 'latin1'), { throwIfNoEntry: false });
}

/** A name that is as long as names can be has no room in the snapshot, whose folder's name is longer. */
function isTooLong(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENAMETOOLONG';
}

const mtimeOf = ({ mtimeMs }: Stats): number => Math.floor(mtimeMs / 1000);

const folder = (path: string, mtime: number): PlacedEntry => ({
  kind: 'd',
  path,
  size: 0,
  mtime,
  content: () => [],
});

function file(path: string, source: string, stat: Stats): PlacedEntry {
  const kind: EntryKind = (stat.mode & 0o100) === 0 ? 'f' : 'x';
  return { kind, path, size: stat.size, mtime: mtimeOf(stat), source, content: () => pieces(source) };
}

const pieceBytes = 1 << 20;

/** One for all files: each piece is used before the next is asked for. */
const buffer = Buffer.allocUnsafeSlow(pieceBytes);

/** A file's content. Reads are synchronous: nothing else is served, and most files are small. */
function* pieces(source: string): Generator<Buffer> {
  const descriptor = openSync(Buffer.from(source, 'latin1'), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    for (let length = -1; length !== 0; ) {
      length = readSync(descriptor, buffer, 0, pieceBytes, null);
      if (length > 0) yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}
