import { deterministicUuid } from './identifiers.ts';

/** Label of the system disk's root file system. */
export const rootLabel = 'devserver-root';

/** Where things lie on the system disk; also in image.json, so that the native boot can loop-mount the root. */
export interface DiskLayout {
  readonly sectorSize: 512;
  /** GRUB's core image for BIOS machines. */
  readonly bios: Partition;
  /** The EFI system partition, FAT32. */
  readonly esp: Partition;
  /** ext4. */
  readonly root: Partition;
  readonly bytes: number;
  readonly rootUuid: string;
}

/** A partition's place in bytes. */
export interface Partition {
  readonly offset: number;
  readonly bytes: number;
}

/** The layout of a system disk whose root file system has `rootMiB` MiB; identifiers follow from `seed`. */
export function diskLayout(rootMiB: number, seed: string): DiskLayout {
  const bios = { offset: 1 * MiB, bytes: 1 * MiB };
  const esp = { offset: 2 * MiB, bytes: 64 * MiB };
  const root = { offset: 66 * MiB, bytes: rootMiB * MiB };
  // One more MiB for the second copy of the partition table at the end.
  const bytes = root.offset + root.bytes + MiB;
  return { sectorSize: 512, bios, esp, root, bytes, rootUuid: deterministicUuid(seed, 'root file system') };
}

/** The partition table as sfdisk(8) reads it. Types: UEFI 5.3.3, and the Discoverable Partitions Specification. */
export function partitionTable(layout: DiskLayout, seed: string): string {
  const line = (name: string, type: string, { offset, bytes }: Partition) =>
    `start=${offset / 512}, size=${bytes / 512}, type=${type}, uuid=${deterministicUuid(seed, `${name} partition`)}, name=${name}`;
  return [
    'label: gpt',
    `label-id: ${deterministicUuid(seed, 'disk')}`,
    line('bios', '21686148-6449-6E6F-744E-656564454649', layout.bios),
    line('esp', 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B', layout.esp),
    line('root', '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', layout.root),
    '',
  ].join('\n');
}

const MiB = 1024 * 1024;
