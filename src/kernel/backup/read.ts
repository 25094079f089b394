import { createHash } from 'node:crypto';
import { padded } from '../tar/header.ts';
import { type ByteReader, readBytes } from './byte-reader.ts';
import { BackupFault } from './fault.ts';
import { type BackupHeader, type BackupManifest, headerMember, limits, manifestMember } from './layout.ts';
import { type EntryKind, type Listing, startListing } from './listing.ts';
import { readMember, type TarMember } from './member.ts';
import { type EntryPlace, startOrder } from './order.ts';
import { acceptedHeader, acceptedManifest } from './own-members.ts';

/** An entry as it is read. `path` is latin1, below its part. */
export interface ReadEntry extends EntryPlace {
  readonly kind: EntryKind;
  /** Bytes; 0 of a folder. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** What is done with what is read. Nothing of it is certain before `readBackup` returns. */
export interface BackupVisitor {
  /** Before anything else of the file is read; may refuse it. */
  readonly header?: (header: BackupHeader) => void | Promise<void>;
  /** An entry and, of a file, its content; what is not taken of the content is read past. */
  readonly entry?: (entry: ReadEntry, content: AsyncIterable<Buffer>) => Promise<void>;
  /** Told from time to time: bytes of content so far. */
  readonly onBytes?: (bytes: number) => void;
}

export interface BackupContent {
  readonly header: BackupHeader;
  readonly manifest: BackupManifest;
  /** Parts whose digest is another than the manifest says; the others are whole. */
  readonly damaged: readonly string[];
}

/**
 * Reads the archive within a backup to its end, holding every rule of docs/backup-format.md. Memory does not depend on the
 * input, but for the manifest's length, which has a limit.
 * @throws BackupFault
 */
export async function readBackup(archive: AsyncIterable<Uint8Array>, visitor: BackupVisitor = {}): Promise<BackupContent> {
  const bytes = readBytes(archive);
  try {
    return await readAll(bytes, visitor);
  } finally {
    await bytes.close();
  }
}

async function readAll(bytes: ByteReader, visitor: BackupVisitor): Promise<BackupContent> {
  const header = acceptedHeader(await ownMember(bytes, headerMember, limits.headerBytes));
  await visitor.header?.(header);
  const order = startOrder(header.parts);
  const seen = new Map<string, ReturnType<Listing['summary']>>();
  // parts come one after the other: one listing is open at a time
  let open: { readonly part: string; readonly listing: Listing } | undefined;
  const next = (part: string | undefined): Listing => {
    if (open?.part === part && open !== undefined) return open.listing;
    if (open !== undefined) seen.set(open.part, open.listing.summary());
    const listing = startListing();
    open = part === undefined ? undefined : { part, listing };
    return listing;
  };
  let total = 0;
  for (let count = 0; ; count += 1) {
    const member = await readMember(bytes);
    if (member === undefined) throw new BackupFault('damaged', 'its manifest is missing: it ends in the middle');
    if (member.path === manifestMember) {
      const manifest = acceptedManifest(await contentOf(bytes, member, limits.manifestBytes), header);
      await requireEnd(bytes);
      next(undefined);
      return { header, manifest, damaged: damagedParts(header, manifest, seen) };
    }
    if (count >= limits.entries) throw new BackupFault('refused', `it has more than ${limits.entries} entries`);
    const place = order.accept(member);
    const kind = member.kind === 'dir' ? 'd' : member.executable ? 'x' : 'f';
    const entry: ReadEntry = { ...place, kind, size: member.size, mtime: member.mtime };
    const sha256 = await readContent(bytes, entry, visitor);
    next(place.part).add({ kind, path: place.path, size: member.size, sha256 });
    total += member.size;
    visitor.onBytes?.(total);
  }
}

/** That all of them are whole. @throws BackupFault naming the others. */
export function requireWhole(damaged: readonly string[]): void {
  if (damaged.length === 0) return;
  const named = damaged.length > 20 ? [...damaged.slice(0, 20), '…'] : damaged;
  throw new BackupFault('damaged', `${damaged.length} parts of it are damaged: ${named.join(', ')}`, {
    hint: 'the other parts are whole; take another backup where there is one',
  });
}

/** Reads the header of the archive within a backup, and no further. @throws BackupFault */
export async function readHeader(archive: AsyncIterable<Uint8Array>): Promise<BackupHeader> {
  const bytes = readBytes(archive);
  try {
    return acceptedHeader(await ownMember(bytes, headerMember, limits.headerBytes));
  } finally {
    await bytes.close();
  }
}

async function readContent(bytes: ByteReader, entry: ReadEntry, visitor: BackupVisitor): Promise<string> {
  const hash = createHash('sha256');
  const content = (async function* () {
    for await (const piece of bytes.pass(entry.size)) {
      hash.update(piece);
      yield piece;
    }
  })();
  await visitor.entry?.(entry, untaken(content));
  for await (const _ of content);
  await requireZeros(bytes, padded(entry.size) - entry.size);
  return entry.kind === 'd' ? '-' : hash.digest('hex');
}

/** The same content, except that who stops taking it does not end it. */
function untaken(content: AsyncGenerator<Buffer>): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => ({ next: () => content.next() }) };
}

async function ownMember(bytes: ByteReader, path: string, most: number): Promise<string> {
  const member = await readMember(bytes);
  if (member === undefined || member.path !== path || member.kind !== 'file')
    throw new BackupFault('refused', `it does not begin with ${path}: it is no backup`);
  return contentOf(bytes, member, most);
}

async function contentOf(bytes: ByteReader, { kind, size, path }: TarMember, most: number): Promise<string> {
  if (kind !== 'file' || size > most) throw new BackupFault('refused', `${path} is longer than ${most} bytes`);
  const content = await bytes.take(size);
  await requireZeros(bytes, padded(size) - size);
  return content.toString('utf8');
}

async function requireZeros(bytes: ByteReader, length: number): Promise<void> {
  if ((await bytes.take(length)).some((byte) => byte !== 0))
    throw new BackupFault('refused', 'something lies between its entries');
}

const nothing = startListing().summary();

function damagedParts({ parts }: BackupHeader, manifest: BackupManifest, seen: ReadonlyMap<string, typeof nothing>): string[] {
  return parts.filter((name) => {
    const [said, is] = [manifest.parts[name], seen.get(name) ?? nothing];
    return said?.digest !== is.digest || said.entries !== is.entries || said.bytes !== is.bytes;
  });
}

/** Behind the manifest come two empty blocks and nothing. */
async function requireEnd(bytes: ByteReader): Promise<void> {
  if ((await readMember(bytes)) !== undefined) throw new BackupFault('refused', 'something comes behind its manifest');
  for await (const piece of bytes.rest())
    if (piece.some((byte) => byte !== 0)) throw new BackupFault('refused', 'something comes behind its end');
}
