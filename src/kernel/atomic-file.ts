import { closeSync, fchmodSync, fchownSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Writes a file so that readers and a power cut see the old or the new content, never half of it:
 * beside, fsync, rename, fsync of the directory.
 */
export function writeFileAtomically(file: string, content: string | Uint8Array, mode: number, owner?: FileOwner): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const beside = `${file}.new-${process.pid}`;
  try {
    const descriptor = openSync(beside, 'wx', mode);
    try {
      // writes on after a short write, which a nearly full disk answers with
      writeFileSync(descriptor, content);
      // umask may have taken bits away; by descriptor, so that no link put in between is followed
      fchmodSync(descriptor, mode);
      if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  syncDirectory(path.dirname(file));
}

/** Makes a rename or a creation in `directory` survive a power cut. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
