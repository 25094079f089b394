import { createHash, type Hash } from 'node:crypto';
import { block, padded } from '../tar/header.ts';
import { tarEnd, tarHeader } from '../tar/write.ts';
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

/** An entry to be written. `path` is latin1, below its part. */
export interface WrittenEntry {
  readonly kind: EntryKind;
  readonly path: string;
  /** Bytes; 0 of a folder. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Exactly `size` bytes; not called for a folder. */
  readonly content: () => AsyncIterable<Uint8Array>;
}

/** A part to be written; its entries in the order of `compareBytePaths`. */
export interface WrittenPart {
  readonly entries: AsyncIterable<WrittenEntry>;
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

/** The archive within a backup: header, parts, manifest. @throws Error when an entry is not what it was said to be. */
export async function* writeBackup(options: WriteOptions): AsyncGenerator<Uint8Array> {
  yield* gathered(members(options));
}

async function* members({ header, open, pause, onBytes }: WriteOptions): AsyncGenerator<Uint8Array> {
  const time = Math.floor(Date.parse(header.cut) / 1000);
  yield* ownMember(headerMember, header, time);
  const parts: Record<string, PartSummary> = {};
  let written = 0;
  let namedSoFar = 0;
  for (const name of header.parts) {
    const part = open(name);
    const listing = startListing();
    let last: string | undefined;
    for await (const entry of part.entries) {
      if (last !== undefined && compareBytePaths(last, entry.path) >= 0)
        throw new Error(`${name}: ${JSON.stringify(entry.path)} comes behind ${JSON.stringify(last)}`);
      last = entry.path;
      yield tarHeader(memberOf(name, entry), 'latin1');
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
    const named = leftOut.slice(0, limits.leftOut - namedSoFar);
    namedSoFar += named.length;
    parts[name] = { ...listing.summary(), leftOut: named, leftOutCount: leftOut.length };
  }
  const manifest: BackupManifest = { parts, pause };
  yield* ownMember(manifestMember, manifest, time);
  yield tarEnd;
}

function memberOf(part: string, { kind, path, size, mtime }: WrittenEntry): Parameters<typeof tarHeader>[0] {
  const owner = { target: '', uid: 0, gid: 0, mtime };
  const place = `${partsFolder}/${part}/${path}`;
  if (kind === 'd') return { kind: 'dir', path: place, size: 0, mode: 0o755, ...owner };
  return { kind: 'file', path: place, size, mode: kind === 'x' ? 0o755 : 0o644, ...owner };
}

async function* ownMember(path: string, value: object, mtime: number): AsyncGenerator<Uint8Array> {
  const content = Buffer.from(`${JSON.stringify(value)}\n`);
  yield tarHeader({ kind: 'file', path, target: '', size: content.length, mode: 0o644, uid: 0, gid: 0, mtime });
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
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    pieces.push(piece);
    length += piece.length;
    if (length < gatheredBytes) continue;
    yield pieces.length === 1 ? piece : Buffer.concat(pieces, length);
    pieces = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(pieces, length);
}
