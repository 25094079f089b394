import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../kernel/errors.ts';
import type { System } from '../kernel/system.ts';
import { isBlank } from './disks.ts';

const label = 'DEVSERVER-DATA';
const subvolume = '@srv';

/**
 * Mounts the data disk's @srv at `target`, formatting the disk first when it is blank.
 * For the native backend only, in the supervisor's mount namespace; a virtual machine does this itself.
 * A disk that holds anything else is refused, never formatted.
 */
export async function mountData(disk: string, target: string, system: System): Promise<void> {
  if (await isBlank(disk)) await format(disk, system);
  await refuseStranger(disk, system);
  // Passing through the top level: @srv may be missing after a crash right behind the mkfs.
  await mount(disk, target, 'noatime', system);
  if (!existsSync(path.join(target, subvolume))) await makeSubvolume(disk, target, system);
  await system.run({ file: 'btrfs', args: ['filesystem', 'resize', 'max', target] });
  await system.run({ file: 'umount', args: [target] });
  await mount(disk, target, `noatime,subvol=${subvolume}`, system);
}

/** Formats a file beside and renames it: a disk is blank or whole, never half formatted. */
async function format(disk: string, system: System): Promise<void> {
  const beside = `${disk}.formatting`;
  const { size } = await stat(disk);
  await rm(beside, { force: true });
  await writeFile(beside, '', { mode: 0o600 });
  await truncate(beside, size);
  await system.run({ file: 'mkfs.btrfs', args: ['--quiet', '--label', label, beside] });
  await rename(beside, disk);
}

async function refuseStranger(disk: string, system: System): Promise<void> {
  const args = ['-p', '-o', 'export', disk];
  const { stdout } = await system.run({ file: 'blkid', args }, { accept: [0, 2] });
  if (stdout.includes('TYPE=btrfs') && stdout.includes(`LABEL=${label}`)) return;
  throw new UserError(`${disk} is neither blank nor a data disk (btrfs, label ${label})`, {
    hint: 'it was left as it is; move it away to begin with an empty one',
  });
}

async function mount(disk: string, target: string, options: string, system: System): Promise<void> {
  mkdirSync(target, { recursive: true });
  await system.run({ file: 'mount', args: ['-t', 'btrfs', '-o', `loop,${options}`, disk, target] });
}

async function makeSubvolume(disk: string, top: string, system: System): Promise<void> {
  if (readdirSync(top).length > 0) {
    throw new UserError(`${disk} has no subvolume ${subvolume}, yet is not empty`, {
      hint: `restore ${subvolume} from a backup; nothing is made anew beside data`,
    });
  }
  await system.run({ file: 'btrfs', args: ['subvolume', 'create', path.join(top, subvolume)] });
}
