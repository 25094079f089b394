import { rmSync } from 'node:fs';
import { syncDirectory } from '../../src/kernel/atomic-file.ts';
import { backupsIn, type NamedBackup } from './names.ts';

/** What goes when so many of a host's backups are kept: the oldest, none that is protected, never the newest. Pure. */
export function prunable(backups: readonly NamedBackup[], host: string, keep: number): NamedBackup[] {
  const own = backups.filter((it) => it.host === host);
  return own.slice(0, Math.max(0, own.length - Math.max(1, keep))).filter(({ isProtected }) => !isProtected);
}

/** Deletes them; to be called only when the newest has just been verified. Gives what went. */
export function prune(folder: string, host: string, keep: number): NamedBackup[] {
  const gone = prunable(backupsIn(folder), host, keep);
  for (const { file } of gone) rmSync(file);
  if (gone.length > 0) syncDirectory(folder);
  return gone;
}
