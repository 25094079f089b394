import type { RootFile } from '../plan/plan.ts';
import { sourceDateEpoch } from './context.ts';
import { block, checksum, cleanPath, padded } from './tar-header.ts';

/** What a header of ours says. */
export interface TarHeader {
  readonly kind: 'file' | 'dir' | 'link';
  readonly path: string;
  readonly target: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The bytes of one of our own files as a tar entry: header, content, padding. */
export function tarBytes(file: RootFile): Buffer {
  if (file.kind !== 'file') return tarHeader({ ...linkDefaults, ...file, size: 0 });
  return Buffer.concat([tarHeader({ ...linkDefaults, ...file, size: file.content.length }), pad(file.content)]);
}

/** Header blocks of an entry: ustar, with PAX records for what does not fit. Its content follows. */
export function tarHeader(header: TarHeader): Buffer {
  const name = cleanPath(header.path) + (header.kind === 'dir' ? '/' : '');
  const long = paxRecords({ ...tooLong('path', name), ...tooLong('linkpath', header.target) });
  const type = { file: '0', dir: '5', link: '2' }[header.kind];
  const own = headerBlock(type, name, header);
  if (long.length === 0) return own;
  const extended = headerBlock('x', './PaxHeaders', { ...linkDefaults, target: '', size: long.length });
  return Buffer.concat([extended, pad(long), own]);
}

/** Two empty blocks close an archive. */
export const tarEnd = Buffer.alloc(1024);

const linkDefaults = { target: '', mode: 0o777, uid: 0, gid: 0 };

function headerBlock(type: string, name: string, values: Omit<TarHeader, 'kind' | 'path'>): Buffer {
  const { target, size, mode, uid, gid } = values;
  const header = Buffer.alloc(block);
  header.write(fits(name) ? name : shortened(name), 0, 100, 'utf8');
  writeOctal(header, 100, 8, mode);
  writeOctal(header, 108, 8, uid);
  writeOctal(header, 116, 8, gid);
  writeOctal(header, 124, 12, size);
  writeOctal(header, 136, 12, sourceDateEpoch);
  header.write(type, 156, 'latin1');
  header.write(fits(target) ? target : shortened(target), 157, 100, 'utf8');
  header.write('ustar\u000000', 257, 'latin1');
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function writeOctal(header: Buffer, offset: number, length: number, value: number): void {
  header.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1');
}

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= 100;
}

/** What a reader without PAX would see of a long name. */
function shortened(text: string): string {
  return Buffer.from(text).subarray(0, 99).toString('latin1');
}

function tooLong(record: string, value: string): Record<string, string> {
  return fits(value) ? {} : { [record]: value };
}

/** `LENGTH NAME=VALUE\n`, where the length counts its own digits. */
function paxRecords(records: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(records).map(([name, value]) => {
    const rest = Buffer.byteLength(` ${name}=${value}\n`);
    let length = rest;
    while (length !== rest + String(length).length) length = rest + String(length).length;
    return `${length} ${name}=${value}\n`;
  });
  return Buffer.from(lines.join(''));
}

function pad(content: Uint8Array): Buffer {
  const out = Buffer.alloc(padded(content.length));
  out.set(content);
  return out;
}
