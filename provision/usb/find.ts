import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { System } from '../../src/kernel/system.ts';

/** The label that makes a disk ours for backups; nothing else does. */
export const backupLabel = 'DEVSERVER-BACKUP';
/** What vfat and exfat keep of it: their labels have eleven characters. */
export const shortLabel = backupLabel.slice(0, 11);

/** File systems that a backup disk may have. */
export const fileSystems = ['vfat', 'exfat', 'ext4'] as const;

export interface BackupDisk {
  /** Its device file. */
  readonly device: string;
  readonly fileSystem: (typeof fileSystems)[number];
  /** By a switch of its own. */
  readonly isReadOnly: boolean;
}

interface Block {
  readonly path: string;
  readonly label: string | null;
  /** Of the partition, in a GPT. */
  readonly partlabel: string | null;
  readonly fstype: string | null;
  readonly ro: boolean;
  readonly mountpoints: readonly (string | null)[];
  readonly children?: readonly Block[];
}

/** The one disk that bears the label. @throws UserError when there is none, are several, or it can't be used as it is. */
export async function findBackupDisk(system: System, to: 'read' | 'write' = 'write'): Promise<BackupDisk> {
  const columns = 'PATH,LABEL,PARTLABEL,FSTYPE,RO,MOUNTPOINTS';
  const { stdout } = await system.run({ file: 'lsblk', args: ['--json', '--bytes', '--output', columns] });
  return chooseDisk((JSON.parse(stdout) as { blockdevices: Block[] }).blockdevices, to);
}

/** The same, out of what lsblk tells. */
export function chooseDisk(blocks: readonly Block[], to: 'read' | 'write' = 'write'): BackupDisk {
  const lacks = (message: string, hint: string): UserError => new UserError(message, { exitCode: exitCodes.machineLacks, hint });
  const found = flatten(blocks).filter(isLabelled);
  const [disk] = found;
  if (disk === undefined)
    throw lacks(
      `no disk labelled ${backupLabel} is plugged in`,
      `label one, for instance: mkfs.vfat -n ${shortLabel} or mkfs.ext4 -L ${backupLabel}`,
    );
  if (found.length > 1)
    throw lacks(`${found.map(({ path }) => path).join(' and ')} are all labelled ${backupLabel}`, 'unplug all but one of them');
  const at = disk.mountpoints.find((it) => it !== null);
  if (at !== undefined) throw lacks(`${disk.path} is mounted at ${at}`, `umount ${at}, or devserver backup create --to ${at}`);
  if (disk.ro && to === 'write') throw lacks(`${disk.path} is read-only`, 'move its switch, or take another disk');
  const fileSystem = fileSystems.find((it) => it === disk.fstype);
  if (fileSystem === undefined)
    throw lacks(
      `${disk.path} has ${disk.fstype ?? 'no file system'}`,
      `make one of ${fileSystems.join(', ')} on it; that deletes what it holds`,
    );
  return { device: disk.path, fileSystem, isReadOnly: disk.ro };
}

function isLabelled({ label, partlabel, fstype }: Block): boolean {
  const isShort = fstype === 'vfat' || fstype === 'exfat';
  return label === backupLabel || partlabel === backupLabel || (isShort && label === shortLabel);
}

function flatten(blocks: readonly Block[]): Block[] {
  return blocks.flatMap((block) => [block, ...flatten(block.children ?? [])]);
}
