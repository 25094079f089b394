import { block, checksum, padded } from '../tar/header.ts';
import type { ByteReader } from './byte-reader.ts';
import { BackupFault } from './fault.ts';
import { limits } from './layout.ts';

/** One member of the archive; `path` in latin1, without the slash behind a folder. */
export interface TarMember {
  readonly kind: 'file' | 'dir';
  readonly path: string;
  readonly executable: boolean;
  readonly size: number;
  readonly mtime: number;
}

/** Records of ours are a path and a size. */
const mostExtension = limits.pathBytes + 256;
const largest = Number.MAX_SAFE_INTEGER;

/**
 * Reads the next member's header; its content is what comes. undefined: the empty blocks of the end. Takes what `tarHeader`
 * writes and no other kind of archive: what is only possible can't be wrong.
 * @throws BackupFault
 */
export async function readMember(bytes: ByteReader): Promise<TarMember | undefined> {
  const first = await readHeader(bytes);
  if (first === undefined) return undefined;
  if (first.type !== 'x') return memberOf(first, {});
  if (first.size > mostExtension) throw new BackupFault('refused', 'a name in it is too long');
  const records = recordsOf((await bytes.take(padded(first.size))).toString('latin1', 0, first.size));
  const own = await readHeader(bytes);
  if (own === undefined || own.type === 'x') throw new BackupFault('refused', 'a name in it belongs to nothing');
  return memberOf(own, records);
}

interface Header {
  readonly type: string;
  readonly name: string;
  readonly executable: boolean;
  readonly size: number;
  readonly mtime: number;
}

async function readHeader(bytes: ByteReader): Promise<Header | undefined> {
  const header = await bytes.take(block);
  if (header.every((byte) => byte === 0)) {
    if ((await bytes.take(block)).some((byte) => byte !== 0))
      throw new BackupFault('damaged', 'an empty block stands alone in it');
    return undefined;
  }
  if (checksum(header) !== number(header, 148, 7)) throw new BackupFault('damaged', 'the head of an entry in it does not add up');
  if (header.toString('latin1', 257, 265) !== 'ustar\u000000')
    throw new BackupFault('refused', 'an entry of it has another form');
  const type = String.fromCharCode(header[156] ?? 0);
  if (!'05x'.includes(type)) throw new BackupFault('refused', `it holds an entry of the kind "${type}", neither file nor folder`);
  const isPlain = [header.subarray(157, 257), header.subarray(265)].every((field) => field.every((byte) => byte === 0));
  if (!isPlain) throw new BackupFault('refused', 'an entry of it says more than it should');
  return {
    type,
    name: textOf(header.subarray(0, 100)),
    executable: (number(header, 100, 7) & 0o100) !== 0,
    size: number(header, 124, 11),
    mtime: number(header, 136, 11),
  };
}

/** Octal digits, as many as the field has, and the NUL or blank behind them. */
function number(header: Buffer, offset: number, digits: number): number {
  const text = header.toString('latin1', offset, offset + digits);
  const octal = /^[0-7]+/.exec(text)?.[0] ?? '';
  if (octal === '' || !/^[\0 ]*$/.test(text.slice(octal.length)))
    throw new BackupFault('damaged', 'a number in the head of an entry is none');
  return Number.parseInt(octal, 8);
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  if (end < 0) return field.toString('latin1');
  if (field.subarray(end).some((byte) => byte !== 0)) throw new BackupFault('refused', 'a name in it goes on behind its end');
  return field.toString('latin1', 0, end);
}

interface Records {
  path?: string;
  size?: number;
}

/** `LENGTH NAME=VALUE\n`…, of the two names that are written. */
function recordsOf(text: string): Records {
  const records: Records = {};
  for (let at = 0; at < text.length; ) {
    const [whole = '', length = '', name = ''] = /^([1-9]\d{0,4}) ([a-z]+)=/.exec(text.slice(at, at + 40)) ?? [];
    const end = at + Number(length);
    if (whole === '' || end > text.length || end < at + whole.length + 1 || text[end - 1] !== '\n')
      throw new BackupFault('refused', 'a record of an entry in it is damaged');
    const value = text.slice(at + whole.length, end - 1);
    if (name === 'path' && records.path === undefined) records.path = value;
    else if (name === 'size' && records.size === undefined && /^[1-9]\d{0,15}$/.test(value)) records.size = Number(value);
    else throw new BackupFault('refused', `an entry in it has the record ${name}`);
    at = end;
  }
  return records;
}

function memberOf({ type, name, executable, size, mtime }: Header, records: Records): TarMember {
  const whole = records.path ?? name;
  const kind = type === '5' ? 'dir' : 'file';
  if (whole.endsWith('/') !== (kind === 'dir'))
    throw new BackupFault('refused', `${JSON.stringify(whole)} is a file and a folder`);
  const bytes = records.size ?? size;
  if (bytes > largest || (kind === 'dir' && bytes > 0)) throw new BackupFault('refused', 'an entry in it has an impossible size');
  return { kind, path: kind === 'dir' ? whole.slice(0, -1) : whole, executable, size: bytes, mtime };
}
