import { createHash, type Hash } from 'node:crypto';
import { UserError } from '../errors.ts';
import { block, padded } from '../tar/header.ts';
import { tarEnd } from '../tar/write.ts';
import {
  type BackupHeader,
  type BackupManifest,
  headerMember,
  limits,
  manifestMember,
  type PartSummary,
  partsFolder,
} from './layout.ts';
import { compareBytePaths, type EntryKind, startListing } from './listing.ts';
import { memberHeader, type TarMember } from './member.ts';

/** One after the other, whether or not each has to be waited for. */
type Pieces<T> = Iterable<T> | AsyncIterable<T>;

/** An entry to be written. `path` is latin1, below its part. */
export interface WrittenEntry {
  readonly kind: EntryKind;
  readonly path: string;
  /** Bytes; 0 of a folder. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Exactly `size` bytes, each piece good until the next is asked for; not called for a folder. */
  readonly content: () => Pieces<Uint8Array>;
}

/** A part to be written; its entries in the order of `compareBytePaths`. */
export interface WrittenPart {
  readonly entries: Pieces<WrittenEntry>;
  /** Asked when all entries have been read: what was no file or folder. */
  readonly leftOut: () => readonly string[];
}

export interface WriteOptions {
  readonly header: BackupHeader;
  /** Opens one of the header's parts; they are asked for in its order. */
  readonly open: (part: string) => WrittenPart;
  /** Seconds for which writers were held. */
  readonly pause: number;
  /** Told after each entry: bytes of content so far. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * The archive within a backup: header, parts, manifest. Each piece is good until the next is asked for: gigabytes go through
 * the same two megabytes. @throws Error when an entry is not what it was said to be.
 */
export async function* writeBackup(options: WriteOptions): AsyncGenerator<Uint8Array> {
  yield* gathered(members(options));
}

async function* members({ header, open, pause, onBytes }: WriteOptions): AsyncGenerator<Uint8Array> {
  const time = Math.floor(Date.parse(header.cut) / 1000);
  yield* ownMember(headerMember, header, time, limits.headerBytes);
  const parts: Record<string, PartSummary> = {};
  let written = 0;
  const named = firstNames();
  for (const name of header.parts) {
    const part = open(name);
    const listing = startListing();
    let last: string | undefined;
    for await (const entry of part.entries) {
      if (last !== undefined && compareBytePaths(last, entry.path) >= 0)
        throw new Error(`${name}: ${JSON.stringify(entry.path)} comes behind ${JSON.stringify(last)}`);
      last = entry.path;
      yield memberHeader(memberOf(name, entry));
      if (entry.kind === 'd') {
        listing.add({ ...entry, size: 0, sha256: '-' });
        continue;
      }
      const hash = createHash('sha256');
      yield* exactly(entry, hash);
      listing.add({ ...entry, sha256: hash.digest('hex') });
      written += entry.size;
      onBytes?.(written);
    }
    const leftOut = part.leftOut();
    parts[name] = { ...listing.summary(), leftOut: named(leftOut), leftOutCount: leftOut.length };
  }
  const manifest: BackupManifest = { parts, pause };
  yield* ownMember(manifestMember, manifest, time, limits.manifestBytes);
  yield tarEnd;
}

function memberOf(part: string, { kind, path, size, mtime }: WrittenEntry): TarMember {
  const time = Math.min(Math.max(0, Math.floor(mtime)), limits.mtime);
  return {
    ...{ kind: kind === 'd' ? 'dir' : 'file', path: `${partsFolder}/${part}/${path}`, executable: kind === 'x' },
    ...{ size: kind === 'd' ? 0 : size, mtime: time },
  };
}

/** As many names as a manifest has room for, in all calls together. */
function firstNames(): (names: readonly string[]) => string[] {
  let [count, bytes] = [0, 0];
  return (names) =>
    names.filter((name) => {
      count += 1;
      // as JSON a byte takes up to six
      bytes += 6 * name.length;
      return count <= limits.leftOut && bytes <= limits.leftOutBytes;
    });
}

async function* ownMember(path: string, value: object, mtime: number, most: number): AsyncGenerator<Uint8Array> {
  const content = Buffer.from(`${JSON.stringify(value)}\n`);
  if (content.length > most) throw new UserError(`${path} is too long: there are too many projects for one backup`);
  yield memberHeader({ kind: 'file', path, executable: false, size: content.length, mtime });
  yield content;
  yield Buffer.alloc(padded(content.length) - content.length);
}

/** The entry's content and its padding, as many bytes as its header says. */
async function* exactly({ path, size, content }: WrittenEntry, hash: Hash): AsyncGenerator<Uint8Array> {
  let seen = 0;
  for await (const chunk of content()) {
    seen += chunk.length;
    if (seen > size) break;
    hash.update(chunk);
    yield chunk;
  }
  if (seen !== size) throw new Error(`${JSON.stringify(path)} has not the ${size} bytes it had: something writes to it`);
  const short = padded(size) - size;
  if (short > 0) yield zeros.subarray(0, short);
}

const zeros = Buffer.alloc(block);
const gatheredBytes = 1 << 20;

/** The same bytes in fewer pieces: most members are a header and little else. */
async function* gathered(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const block = Buffer.allocUnsafe(gatheredBytes);
  let filled = 0;
  for await (const piece of stream) {
    if (filled + piece.length > gatheredBytes) {
      if (filled > 0) yield block.subarray(0, filled);
      filled = 0;
    }
    if (piece.length >= gatheredBytes) yield piece;
    else {
      block.set(piece, filled);
      filled += piece.length;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
