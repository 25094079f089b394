import { existsSync } from 'node:fs';
import type { System } from './kernel/system.ts';

/** A program of the user's machine that nothing pinned can replace. */
export interface HostTool {
  readonly program: string;
  /** A file that shows it is there, where it is no program. */
  readonly file?: string;
  readonly package: string;
  readonly why: string;
  /** Without it nothing can be built; or only root can build. */
  readonly needed: boolean | 'without-root';
}

/**
 * The few programs taken from the machine itself; all others come from the pinned tool root
 * (stacks/tools.yaml), so that everybody's builds use the same ones.
 */
export const hostTools: readonly HostTool[] = [
  { program: 'mmdebstrap', package: 'mmdebstrap', why: 'makes root file systems from packages', needed: true },
  {
    program: "Debian's archive keyring",
    file: '/usr/share/keyrings/debian-archive-keyring.gpg',
    package: 'debian-archive-keyring',
    why: 'checks what the tool root is made from',
    needed: true,
  },
  { program: 'newuidmap', package: 'uidmap', why: 'user namespaces without root', needed: 'without-root' },
  { program: 'systemd-nspawn', package: 'systemd-container', why: 'boots natively', needed: false },
  { program: 'slirp4netns', package: 'slirp4netns', why: 'ports of a native boot', needed: false },
  { program: 'mkfs.btrfs', package: 'btrfs-progs', why: 'data disk of a native boot', needed: false },
];

/** Whether this machine has it. */
export function isThere({ program, file }: HostTool, system: System): boolean {
  return file === undefined ? system.which(program) !== undefined : existsSync(file);
}

/** Whether nothing can be built here without it. */
export function isNeeded({ needed }: HostTool, { isRoot }: Pick<System, 'isRoot'>): boolean {
  return needed === 'without-root' ? !isRoot : needed;
}
