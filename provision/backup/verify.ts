import { type Opener, openEnvelope } from '../../src/kernel/backup/envelope.ts';
import { through } from '../../src/kernel/backup/filter.ts';
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

/** A file's bytes as the medium has them, not as memory still does. */
export function fromMedium(file: string): AsyncIterable<Uint8Array> {
  const args = [`if=${file}`, 'bs=4M', 'iflag=direct', 'status=none'];
  return through({ file: 'dd', args, hint: 'install coreutils' }, nothing());
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Reads a backup to its end and holds every digest. @throws BackupFault, naming the parts that are damaged. */
export async function verifyBackup(stream: AsyncIterable<Uint8Array>, opener: Opener): Promise<Verified> {
  const { header, manifest, damaged } = await readBackup(openEnvelope(stream, opener));
  requireWhole(damaged);
  return { header, manifest, ...totalsOf(manifest) };
}
