import {
  block,
  cleanPath,
  headerPath,
  padded,
  readNumber,
  readText,
  textUntilNul,
  verifyChecksum,
} from '../kernel/tar/header.ts';
import { type TarSource, windowedReader } from './tar-source.ts';

/** The types of entries that a root file system holds (POSIX typeflag). */
export type TarEntryKind = 'file' | 'hardlink' | 'link' | 'char' | 'block' | 'dir' | 'fifo';

/** One entry of an archive and where its bytes lie, extension headers included. */
export interface TarEntry {
  /** Without leading `./` or `/` and without a trailing slash; the root itself is ''. */
  readonly path: string;
  /** As the archive writes it. */
  readonly name: string;
  readonly kind: TarEntryKind;
  /** Target of a link or hard link. */
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** First byte of its first header block. */
  readonly start: number;
  readonly dataStart: number;
  readonly size: number;
  /** Byte after its padding. */
  readonly end: number;
}

/**
 * Lists an archive's entries: ustar, with PAX records (path, linkpath, size) and GNU long names understood.
 * Formats: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
 * @throws Error when the archive is damaged.
 */
export async function listTar(source: TarSource): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  const windowed = windowedReader(source);
  let offset = 0;
  let start = 0;
  let extension: Extension = {};
  while (offset + block <= source.size) {
    const header = await windowed(offset, block);
    if (header[0] === 0) break;
    verifyChecksum(header, offset);
    const type = String.fromCharCode(header[156] ?? 0);
    const size = readNumber(header, 124, 12);
    const dataStart = offset + block;
    if ('xgLK'.includes(type)) {
      // A global header ('g') carries nothing we need; the others describe the next entry.
      if (type !== 'g') extension = { ...extension, ...readExtension(type, await windowed(dataStart, size)) };
      offset = dataStart + padded(size);
      if (type === 'g') start = offset;
      continue;
    }
    const kind = kinds[type];
    if (kind === undefined) throw new Error(`unknown tar entry type "${type}" at byte ${offset}`);
    const dataSize = kind === 'file' ? (extension.size ?? size) : 0;
    const end = dataStart + padded(dataSize);
    if (end > source.size) throw new Error('the archive ends within an entry');
    const name = extension.path ?? headerPath(header);
    entries.push({
      path: cleanPath(name),
      name,
      kind,
      target: extension.linkpath ?? readText(header, 157, 100),
      mode: readNumber(header, 100, 8) & 0o7777,
      uid: readNumber(header, 108, 8),
      gid: readNumber(header, 116, 8),
      start,
      dataStart,
      size: dataSize,
      end,
    });
    offset = end;
    start = end;
    extension = {};
  }
  return entries;
}

const kinds: Readonly<Record<string, TarEntryKind>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'link',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
};

interface Extension {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
}

function readExtension(type: string, data: Buffer): Extension {
  if (type === 'L') return { path: textUntilNul(data) };
  if (type === 'K') return { linkpath: textUntilNul(data) };
  const found: { path?: string; linkpath?: string; size?: number } = {};
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(0x20, at);
    const length = Number(data.toString('latin1', at, space));
    if (space < 0 || !(length > 0)) throw new Error('damaged PAX header');
    // Extended attributes may hold bytes that are no text, so only the record's name decides how it is read.
    const record = data.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    const name = record.toString('utf8', 0, equals);
    const value = record.toString('utf8', equals + 1);
    if (name === 'path') found.path = value;
    if (name === 'linkpath') found.linkpath = value;
    if (name === 'size') found.size = Number(value);
    at += length;
  }
  return found;
}
