import { block, checksum, padded, readNumber } from '../tar/header.ts';
import { tarHeader } from '../tar/write.ts';
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
const mostExtension = limits.pathBytes + 512;

/**
 * The header blocks of a member of a backup. Owners are nobody's business here; of the mode only "executable" counts.
 */
export function memberHeader({ kind, path, executable, size, mtime }: TarMember): Buffer {
  const mode = kind === 'dir' || executable ? 0o755 : 0o644;
  return tarHeader({ kind, path, target: '', size, mode, uid: 0, gid: 0, mtime }, 'latin1');
}

/**
 * Reads the next member's header; its content is what comes. undefined: the empty blocks of the end. Takes what `memberHeader`
 * writes, to the last bit, and no other kind of archive: readers that go by other fields see the same.
 * @throws BackupFault
 */
export async function readMember(bytes: ByteReader): Promise<TarMember | undefined> {
  const first = await bytes.take(block);
  if (first.every((byte) => byte === 0)) {
    if ((await bytes.take(block)).some((byte) => byte !== 0))
      throw new BackupFault('damaged', 'an empty block stands alone in it');
    return undefined;
  }
  requireSum(first);
  if (typeOf(first) !== 'x') return accepted(first, {}, first);
  const size = readNumber(first, 124, 12);
  if (!(size <= mostExtension)) throw new BackupFault('refused', 'a name in it is too long');
  const extension = await bytes.take(padded(size));
  const own = await bytes.take(block);
  requireSum(own);
  return accepted(own, recordsOf(extension.toString('latin1', 0, size)), Buffer.concat([first, extension, own]));
}

function requireSum(header: Buffer): void {
  if (checksum(header) !== readNumber(header, 148, 8))
    throw new BackupFault('damaged', 'the head of an entry in it does not add up');
}

const typeOf = (header: Buffer): string => String.fromCharCode(header[156] ?? 0);

interface Records {
  path?: string;
  size?: number;
}

/** `LENGTH NAME=VALUE\n`…; what is none gives none, and then the blocks are others than are written. */
function recordsOf(text: string): Records {
  const records: Records = {};
  for (let at = 0; at < text.length; ) {
    const [whole = '', length = '', name = ''] = /^([1-9]\d{0,4}) ([a-z]+)=/.exec(text.slice(at, at + 40)) ?? [];
    const end = at + Number(length);
    if (whole === '' || end > text.length || end < at + whole.length + 1) return {};
    const value = text.slice(at + whole.length, end - 1);
    if (name === 'path') records.path = value;
    if (name === 'size') records.size = Number(value);
    at = end;
  }
  return records;
}

/** The member that these blocks are written for. */
function accepted(own: Buffer, records: Records, blocks: Buffer): TarMember {
  const name = records.path ?? nameIn(own.subarray(0, 100));
  const kind = typeOf(own) === '5' ? 'dir' : 'file';
  const member: TarMember = {
    kind,
    path: kind === 'dir' ? name.replace(/\/$/, '') : name,
    executable: kind === 'file' && (readNumber(own, 100, 8) & 0o100) !== 0,
    size: records.size ?? readNumber(own, 124, 12),
    mtime: readNumber(own, 136, 12),
  };
  const { size, mtime } = member;
  const isPlain = Number.isSafeInteger(size) && size >= 0 && Number.isSafeInteger(mtime) && mtime >= 0 && mtime <= limits.mtime;
  if (!isPlain || (kind === 'dir' && size > 0) || !memberHeader(member).equals(blocks))
    throw new BackupFault('refused', `an entry of it is not written as backups are: ${JSON.stringify(name.slice(0, 200))}`);
  return member;
}

function nameIn(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? field.length : end);
}
