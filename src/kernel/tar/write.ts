import { block, checksum, cleanPath, padded } from './header.ts';

/** What a header of ours says. */
export interface TarHeader {
  readonly kind: 'file' | 'dir' | 'link';
  readonly path: string;
  readonly target: string;
  /** Bytes. */
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** Two empty blocks close an archive. */
export const tarEnd = Buffer.alloc(2 * block);

/** What eleven octal digits can say. */
const largestOctal = 0o77_777_777_777;

/**
 * Header blocks of an entry: ustar, with PAX records for what does not fit. Its content follows.
 * `encoding` of path and target: latin1 where each character stands for one byte of a name that need not be UTF-8.
 */
export function tarHeader(header: TarHeader, encoding: 'utf8' | 'latin1' = 'utf8'): Buffer {
  const name = cleanPath(header.path) + (header.kind === 'dir' ? '/' : '');
  const long = paxRecords(
    {
      ...tooLong('path', name, encoding),
      ...tooLong('linkpath', header.target, encoding),
      ...(header.size > largestOctal ? { size: String(header.size) } : {}),
    },
    encoding,
  );
  const type = { file: '0', dir: '5', link: '2' }[header.kind];
  const own = headerBlock(type, name, header, encoding);
  if (long.length === 0) return own;
  const { mode, uid, gid, mtime } = header;
  const extended = headerBlock('x', './PaxHeaders', { target: '', size: long.length, mode, uid, gid, mtime }, encoding);
  return Buffer.concat([extended, padTar(long), own]);
}

/** Content with zeros up to the next whole block. */
export function padTar(content: Uint8Array): Buffer {
  const out = Buffer.alloc(padded(content.length));
  out.set(content);
  return out;
}

function headerBlock(type: string, name: string, values: Omit<TarHeader, 'kind' | 'path'>, encoding: 'utf8' | 'latin1'): Buffer {
  const { target, size, mode, uid, gid, mtime } = values;
  const header = Buffer.alloc(block);
  Buffer.from(name, encoding).copy(header, 0, 0, longestName(name, encoding));
  writeOctal(header, 100, 8, mode);
  writeOctal(header, 108, 8, uid);
  writeOctal(header, 116, 8, gid);
  // a reader takes the record's
  writeOctal(header, 124, 12, size > largestOctal ? 0 : size);
  writeOctal(header, 136, 12, mtime);
  header.write(type, 156, 'latin1');
  Buffer.from(target, encoding).copy(header, 157, 0, longestName(target, encoding));
  header.write('ustar\u000000', 257, 'latin1');
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function writeOctal(header: Buffer, offset: number, length: number, value: number): void {
  header.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1');
}

function fits(text: string, encoding: 'utf8' | 'latin1'): boolean {
  return Buffer.byteLength(text, encoding) <= 100;
}

/** What a reader without PAX would see of a long name ends before the field does. */
function longestName(text: string, encoding: 'utf8' | 'latin1'): number {
  return fits(text, encoding) ? 100 : 99;
}

function tooLong(record: string, value: string, encoding: 'utf8' | 'latin1'): Record<string, string> {
  return fits(value, encoding) ? {} : { [record]: value };
}

/** `LENGTH NAME=VALUE\n`, where the length counts its own digits. */
function paxRecords(records: Readonly<Record<string, string>>, encoding: 'utf8' | 'latin1'): Buffer {
  const lines = Object.entries(records).map(([name, value]) => {
    const rest = Buffer.byteLength(` ${name}=${value}\n`, encoding);
    let length = rest;
    while (length !== rest + String(length).length) length = rest + String(length).length;
    return `${length} ${name}=${value}\n`;
  });
  return Buffer.from(lines.join(''), encoding);
}
