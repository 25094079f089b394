import { type Opener, openEnvelope } from '../../src/kernel/backup/envelope.ts';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import { through } from '../../src/kernel/backup/filter.ts';
import type { BackupHeader, BackupManifest } from '../../src/kernel/backup/layout.ts';
import { readBackup } from '../../src/kernel/backup/read.ts';

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
  if (damaged.length > 0) throw new BackupFault('damaged', `${damaged.length} parts of it are damaged: ${damaged.join(', ')}`);
  const parts = Object.values(manifest.parts);
  const sum = (of: (part: (typeof parts)[number]) => number): number => parts.reduce((all, part) => all + of(part), 0);
  return { header, manifest, entries: sum(({ entries }) => entries), bytes: sum(({ bytes }) => bytes) };
}
