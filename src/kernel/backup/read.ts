import { createHash } from 'node:crypto';
import type * as z from 'zod';
import { padded } from '../tar/header.ts';
import { type ByteReader, readBytes } from './byte-reader.ts';
import { BackupFault } from './fault.ts';
import {
  type BackupHeader,
  type BackupManifest,
  backupFormat,
  backupHeader,
  backupManifest,
  headerMember,
  knownNeeds,
  limits,
  manifestMember,
} from './layout.ts';
import { type EntryKind, type Listing, startListing } from './listing.ts';
import { readMember, type TarMember } from './member.ts';
import { type EntryPlace, startOrder } from './order.ts';

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
  const seen = new Map<string, Listing>(header.parts.map((name) => [name, startListing()]));
  let total = 0;
  for (let count = 0; ; count += 1) {
    const member = await readMember(bytes);
    if (member === undefined) throw new BackupFault('damaged', 'its manifest is missing: it ends in the middle');
    if (member.path === manifestMember) {
      const manifest = parsed(backupManifest, manifestMember, await contentOf(bytes, member, limits.manifestBytes));
      await requireEnd(bytes);
      return { header, manifest, damaged: damagedParts(header, manifest, seen) };
    }
    if (count >= limits.entries) throw new BackupFault('refused', `it has more than ${limits.entries} entries`);
    const place = order.accept(member);
    const kind = member.kind === 'dir' ? 'd' : member.executable ? 'x' : 'f';
    const entry: ReadEntry = { ...place, kind, size: member.size, mtime: member.mtime };
    const sha256 = await readContent(bytes, entry, visitor);
    seen.get(place.part)?.add({ kind, path: place.path, size: member.size, sha256 });
    total += member.size;
    visitor.onBytes?.(total);
  }
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
  for await (const _ of bytes.pass(padded(entry.size) - entry.size));
  return entry.kind === 'd' ? '-' : hash.digest('hex');
}

/** The same content, except that who stops taking it does not end it. */
function untaken(content: AsyncGenerator<Buffer>): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => ({ next: () => content.next() }) };
}

function acceptedHeader(text: string): BackupHeader {
  // a later format may have another header altogether: what it says of itself is looked at first
  const value = json(headerMember, text) as { format?: unknown; needs?: unknown; appliance?: { release?: unknown } } | null;
  const by = typeof value?.appliance?.release === 'string' ? ` (written by release ${value.appliance.release.slice(0, 40)})` : '';
  if (typeof value?.format === 'number' && value.format > backupFormat)
    throw new BackupFault('newer', `it has format ${value.format}${by}; this release reads up to ${backupFormat}`);
  const unknown = Array.isArray(value?.needs) ? value.needs.filter((it) => !knownNeeds.has(String(it))) : [];
  if (unknown.length > 0)
    throw new BackupFault(
      'newer',
      `it needs what this release does not know${by}: ${unknown.map(String).join(', ').slice(0, 200)}`,
    );
  const header = parsed(backupHeader, headerMember, text);
  if (new Set(header.parts).size < header.parts.length) throw new BackupFault('refused', 'its header names a part twice');
  return header;
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
  await bytes.take(padded(size) - size);
  return content.toString('utf8');
}

function parsed<T>(schema: z.ZodType<T>, path: string, text: string): T {
  const { data, error } = schema.safeParse(json(path, text));
  if (error === undefined) return data;
  const { path: where, message } = error.issues[0] ?? { path: [], message: 'it is wrong' };
  throw new BackupFault('refused', `${path}: ${[...where.map(String), message].join(': ').slice(0, 300)}`);
}

function json(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BackupFault('refused', `${path} is no JSON`, { cause: error });
  }
}

function damagedParts({ parts }: BackupHeader, manifest: BackupManifest, seen: ReadonlyMap<string, Listing>): string[] {
  const strange = Object.keys(manifest.parts).find((name) => !seen.has(name));
  if (strange !== undefined) throw new BackupFault('refused', `its manifest names ${strange}, which its header does not`);
  return parts.filter((name) => {
    const [said, is] = [manifest.parts[name], seen.get(name)?.summary()];
    return said?.digest !== is?.digest || said?.entries !== is?.entries || said?.bytes !== is?.bytes;
  });
}

/** Behind the manifest come two empty blocks and nothing. */
async function requireEnd(bytes: ByteReader): Promise<void> {
  if ((await readMember(bytes)) !== undefined) throw new BackupFault('refused', 'something comes behind its manifest');
  for await (const piece of bytes.rest())
    if (piece.some((byte) => byte !== 0)) throw new BackupFault('refused', 'something comes behind its end');
}
