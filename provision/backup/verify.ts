import { type BackupHeader, type BackupManifest, totalsOf } from '../../src/kernel/backup/layout.ts';
import { readBackup, requireWhole } from '../../src/kernel/backup/read.ts';

/** What was read back. */
export interface Verified {
  readonly header: BackupHeader;
  readonly manifest: BackupManifest;
  readonly entries: number;
  /** Of content. */
  readonly bytes: number;
}

/** Reads the archive within a backup to its end and holds every digest. @throws BackupFault, naming the parts that are damaged. */
export async function verifyBackup(archive: AsyncIterable<Uint8Array>): Promise<Verified> {
  const { header, manifest, damaged } = await readBackup(archive);
  requireWhole(damaged);
  return { header, manifest, ...totalsOf(manifest) };
}
