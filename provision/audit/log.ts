import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { syncDirectory } from '../../src/kernel/atomic-file.ts';
import { type AuditEntry, auditEntry } from './entry.ts';

const { O_APPEND, O_CREAT, O_RDWR, O_NOFOLLOW } = constants;

/**
 * Adds an entry to the log in `folder`: one line of JSON in printable ASCII, in the file of its month, on the disk when this
 * returns. The time is the log's own. Nothing that is there is changed: only a line of which no more than the beginning could
 * be written is taken away again. The file belongs to who owns the folder, also when root adds its first line.
 * @throws ZodError for what is no entry, Error when it can't be written.
 */
export function addLine(folder: string, given: AuditEntry, now: Date): void {
  const entry = auditEntry.parse(given);
  const at = now.toISOString();
  const file = path.join(folder, `${at.slice(0, 7)}.log`);
  // root adds lines too, in a folder that is not root's: no link that waits there leads it to another file
  const descriptor = openSync(file, O_APPEND | O_CREAT | O_RDWR | O_NOFOLLOW, 0o640);
  try {
    const { size, uid, nlink } = fstatSync(descriptor);
    if (nlink !== 1) throw new Error(`${file} has another name too`);
    const owner = statSync(folder);
    if (uid !== owner.uid) fchownSync(descriptor, owner.uid, owner.gid);
    // a crash may have left a line without its end: what is whole starts on a line of its own
    const bytes = Buffer.from(`${endsLine(descriptor, size) ? '' : '\n'}${printable(JSON.stringify({ at, ...entry }))}\n`);
    try {
      if (writeSync(descriptor, bytes) < bytes.length)
        throw Object.assign(new Error('no space left for the audit log'), { code: 'ENOSPC' });
      fsyncSync(descriptor);
    } catch (error) {
      ftruncateSync(descriptor, size);
      throw error;
    }
    if (size === 0) syncDirectory(folder);
  } finally {
    closeSync(descriptor);
  }
}

function endsLine(descriptor: number, size: number): boolean {
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last[0] === 0x0a;
}

/** JSON with everything escaped that a terminal could act upon, or show in another order. */
function printable(json: string): string {
  return json.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
