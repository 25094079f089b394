import path from 'node:path';
import type { Command } from '../kernel/system.ts';
import type { DiskLayout } from './layout.ts';
import { toolCommand } from './tools.ts';

/**
 * The boot menu, static: Debian's linux-update-symlinks moves /vmlinuz and /vmlinuz.old at every kernel
 * installation, so that no update-grub is needed inside. When the newer kernel can't be loaded, the
 * previous one is tried.
 */
export function grubMenu(rootUuid: string, kernelArguments: string): string {
  const entry = (title: string, suffix: string) =>
    `menuentry "${title}" {
  linux /vmlinuz${suffix} root=UUID=${rootUuid} ${kernelArguments}
  initrd /initrd.img${suffix}
}`;
  return `# Made by create-devserver together with the disk; a new system disk brings its own.
if serial --unit=0 --speed=115200; then
  terminal_input console serial
  terminal_output console serial
fi
set timeout=1
set default=0
set fallback=1
search --no-floppy --fs-uuid --set=root ${rootUuid}
${entry('current kernel', '')}
${entry('previous kernel', '.old')}
`;
}

/** What GRUB does before it can read the menu; built into its image. */
export function grubEarlyConfig(rootUuid: string): string {
  return `search.fs_uuid ${rootUuid} root
set prefix=($root)/boot/grub
configfile $prefix/grub.cfg
`;
}

/** GRUB's image for one firmware, with every module it needs: nothing of GRUB is installed in the guest. */
export function grubImageCommand(tools: string, firmware: 'bios' | 'uefi', earlyConfig: string, output: string): Command {
  const { format, modules } = platforms[firmware];
  return toolCommand(tools, 'grub-mkimage', [
    `--directory=${path.join(tools, 'usr/lib/grub', format)}`,
    `--format=${format}`,
    '--prefix=/boot/grub',
    `--config=${earlyConfig}`,
    `--output=${output}`,
    ...modules,
    ...commonModules,
  ]);
}

/** Where boot.img's code ends and the partition table begins. */
const bootCodeBytes = 440;
/** In boot.img: the sector of core.img, 64 bit little endian (grub-core/boot/i386/pc/boot.S, kernel_sector). */
const kernelSectorAt = 0x5c;
/** In core.img's first sector: where its rest begins (diskboot.S, the first block list entry). */
const blockListAt = 0x1f4;

/** The two pieces of GRUB for BIOS machines, patched with where they will lie on the disk. */
export function placeGrubOnDisk(
  bootImage: Uint8Array,
  coreImage: Uint8Array,
  layout: DiskLayout,
): { readonly offset: number; readonly bytes: Buffer }[] {
  const firstSector = BigInt(layout.bios.offset / layout.sectorSize);
  if (coreImage.length > layout.bios.bytes) throw new Error(`core.img has ${coreImage.length} bytes, too many for its partition`);
  const boot = Buffer.from(bootImage.subarray(0, bootCodeBytes));
  boot.writeBigUInt64LE(firstSector, kernelSectorAt);
  const core = Buffer.from(coreImage);
  core.writeBigUInt64LE(firstSector + 1n, blockListAt);
  return [
    { offset: 0, bytes: boot },
    { offset: layout.bios.offset, bytes: core },
  ];
}

const platforms = {
  bios: { format: 'i386-pc', modules: ['biosdisk'] },
  uefi: { format: 'x86_64-efi', modules: ['fat', 'efi_gop', 'efi_uga', 'all_video'] },
} as const;

const commonModules = [
  'part_gpt',
  'ext2',
  'search',
  'search_fs_uuid',
  'normal',
  'linux',
  'configfile',
  'serial',
  'terminal',
  'test',
  'echo',
  'ls',
  'cat',
  'reboot',
  'halt',
];
