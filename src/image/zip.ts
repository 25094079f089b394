import { inflateRawSync } from 'node:zlib';

/** Random access to some bytes. */
export interface Bytes {
  readonly size: number;
  readonly read: (offset: number, length: number) => Promise<Buffer>;
}

/** A file in a zip, by its central directory. */
export interface ZipEntry {
  readonly name: string;
  /** As Unix has it, with the kind of file; 0 where another system made the zip. */
  readonly mode: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  /** Of its local header. */
  readonly offset: number;
}

const endSize = 22;
const longestComment = 65_535;

/** The files of a zip without reading them; nothing for what is none. Format: PKWARE APPNOTE 4.3.12 and 4.3.16; no ZIP64. */
export async function listZip(zip: Bytes): Promise<ZipEntry[]> {
  const tail = await zip.read(Math.max(0, zip.size - endSize - longestComment), Math.min(zip.size, endSize + longestComment));
  const end = tail.lastIndexOf(Buffer.from('504b0506', 'hex'));
  if (end < 0 || end + endSize > tail.length) return [];
  const [length, start] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  // something may stand before the archive, such as a script that starts it; offsets do not count that
  const before = zip.size - tail.length + end - length - start;
  if (before < 0) return [];
  const directory = await zip.read(before + start, length);
  const entries: ZipEntry[] = [];
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === 0x02014b50; ) {
    const nameLength = directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameLength),
      // the upper half of "external file attributes", where "version made by" says Unix
      mode: directory[at + 5] === 3 ? directory.readUInt16LE(at + 40) : 0,
      method: directory.readUInt16LE(at + 10),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: before + directory.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/** The content of a file in a zip. */
export async function readZipEntry(zip: Bytes, { method, packed, offset, size }: ZipEntry): Promise<Buffer> {
  if (offset + 30 + packed > zip.size) throw new Error('an entry ends behind its archive');
  const header = await zip.read(offset, 30);
  const start = offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const bytes = await zip.read(start, packed);
  if (method === 0) return bytes;
  // its own word for its size holds, so that a faulty one takes no more
  return inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) });
}
