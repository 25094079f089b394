import { createHash } from 'node:crypto';
import type { RootFile } from '../plan/plan.ts';
import { type MergePart, mergeLayers } from './merge.ts';
import { listTar, type TarEntry } from './tar.ts';
import { type TarSource, tarFromBytes } from './tar-source.ts';
import { tarBytes, tarEnd, tarHeader } from './tar-write.ts';

/** An archive that takes part in a root file system. */
export interface Layer {
  /** For messages: where it comes from. */
  readonly name: string;
  readonly source: TarSource;
  /** Its entries, when the caller has listed them already. */
  readonly entries?: readonly TarEntry[];
}

/** Our own files as a layer. */
export function filesLayer(name: string, files: readonly RootFile[]): Layer {
  return { name, source: tarFromBytes(Buffer.concat([...files.map(tarBytes), tarEnd])) };
}

/** Layers and what of them makes the merged tree. */
export interface Merged {
  readonly layers: readonly Layer[];
  readonly parts: readonly MergePart[];
}

/** Lists and merges. @throws UserError from the rules in merge.ts. */
export async function merge(layers: readonly Layer[]): Promise<Merged> {
  const listed = await Promise.all(
    layers.map(async ({ name, source, entries }) => ({ name, entries: entries ?? (await listTar(source)) })),
  );
  return { layers, parts: mergeLayers(listed) };
}

/**
 * Writes the merged root file system as a tar, piece by piece, and returns its SHA-256. Header blocks are copied as they
 * are, so owners, times and extended attributes survive. A gigabyte takes a few seconds.
 */
export async function writeMerged(
  { layers, parts }: Merged,
  write: (piece: Buffer) => Promise<void>,
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const put = async (piece: Buffer): Promise<void> => {
    const written = write(piece);
    // while it is on its way
    hash.update(piece);
    await written;
    bytes += piece.length;
  };
  for (const piece of pieces(parts)) {
    const source = piece.kind === 'copy' ? layers[piece.layer]?.source : undefined;
    if (piece.kind === 'made') await put(piece.bytes);
    else if (source !== undefined) await copy(source, piece.start, piece.end, put);
  }
  await put(tarEnd);
  return { sha256: hash.digest('hex'), bytes };
}

type Piece =
  | { readonly kind: 'copy'; readonly layer: number; readonly start: number; end: number }
  | { readonly kind: 'made'; readonly bytes: Buffer };

/** Neighbours in one archive become one stretch: nearly all of a layer is copied in a few large reads. */
function pieces(parts: readonly MergePart[]): Piece[] {
  const out: Piece[] = [];
  for (const part of parts) {
    if (part.kind === 'parent') {
      out.push({
        kind: 'made',
        bytes: tarBytes({ kind: 'dir', path: part.path, mode: 0o755, uid: 0, gid: 0 }),
      });
      continue;
    }
    const { layer, entry, path } = part;
    const isMoved = entry.path !== path;
    if (isMoved) out.push({ kind: 'made', bytes: movedHeader(entry, path) });
    const start = isMoved ? entry.dataStart : entry.start;
    const last = out.at(-1);
    if (last?.kind === 'copy' && last.layer === layer && last.end === start) last.end = entry.end;
    else out.push({ kind: 'copy', layer, start, end: entry.end });
  }
  return out;
}

/** A new header for an entry that came through a link: readers of the archive need not follow it again. */
function movedHeader(entry: TarEntry, path: string): Buffer {
  const { kind } = entry;
  if (kind !== 'file' && kind !== 'dir' && kind !== 'link') {
    throw new Error(`/${entry.path} is a ${kind} in a layer of ours, which only holds files, folders and links`);
  }
  return tarHeader({ ...entry, kind, path });
}

async function copy(source: TarSource, start: number, end: number, write: (chunk: Buffer) => Promise<void>): Promise<void> {
  const chunkSize = 4 << 20;
  for (let at = start; at < end; at += chunkSize) await write(await source.read(at, Math.min(chunkSize, end - at)));
}
