import { closeSync, mkdirSync, openSync, readSync } from 'node:fs';
import type { System } from '../../src/kernel/system.ts';

/** The label that makes a file system ours. */
export const dataLabel = 'DEVSERVER-DATA';

/** Until its subvolume is there a new disk bears this one; a power cut in between makes it blank to us. */
const unfinishedLabel = 'DEVSERVER-NEW';

interface BlockDevice {
  readonly path: string;
  readonly type: string;
  readonly label: string | null;
  readonly fstype: string | null;
  readonly pttype: string | null;
  readonly size: number;
  readonly rm: boolean;
  readonly ro: boolean;
  readonly tran: string | null;
  readonly mountpoints: readonly (string | null)[];
  readonly children?: readonly BlockDevice[];
}

/** What became of the data disk. */
export type DataDisk = 'already-mounted' | 'mounted' | 'formatted' | 'directory';

/**
 * Mounts the data disk's @srv at /srv. A disk is formatted only when it is the one blank, fixed disk
 * that is no USB disk; with none or several /srv stays a directory of the system disk.
 */
export async function mountDataDisk(system: System, tell: (text: string) => void): Promise<DataDisk> {
  const mounted = await system.run({ file: 'mountpoint', args: ['-q', '/srv'] }, { accept: 'any' });
  if (mounted.exitCode === 0) return 'already-mounted';
  mkdirSync('/srv', { recursive: true });
  const devices = await listDevices(system);
  const ours = flatten(devices).filter(
    ({ label, fstype, tran, rm }) => label === dataLabel && fstype === 'btrfs' && tran !== 'usb' && !rm,
  );
  if (ours.length > 1)
    throw new Error(`${ours.map(({ path }) => path).join(' and ')} both are labelled ${dataLabel}: detach one of them`);
  if (ours[0] !== undefined) {
    await mount(ours[0].path, system);
    return 'mounted';
  }
  const blank = devices.filter((device) => isUnfinished(device) || (isCandidate(device) && isBlank(device.path, device.size)));
  if (blank.length !== 1 || blank[0] === undefined) {
    const why = blank.length === 0 ? 'no blank disk is attached' : `${blank.length} blank disks are attached`;
    tell(`devserver: ${why}, so /srv is a directory of the system disk and an upgrade would lose it`);
    return 'directory';
  }
  tell(`devserver: formatting the blank disk ${blank[0].path} as data disk`);
  await system.run({ file: 'mkfs.btrfs', args: ['-q', '-f', '-L', unfinishedLabel, '--', blank[0].path] });
  await makeSubvolume(blank[0].path, system);
  await system.run({ file: 'btrfs', args: ['filesystem', 'label', blank[0].path, dataLabel] });
  await mount(blank[0].path, system);
  return 'formatted';
}

/** Whether a disk may be formatted at all: whole, fixed, not USB, no partition table, no file system. */
export function isCandidate(device: Omit<BlockDevice, 'path'>): boolean {
  const untouched =
    device.fstype === null && device.pttype === null && device.label === null && (device.children ?? []).length === 0;
  const unused = device.mountpoints.every((it) => it === null);
  return (
    device.type === 'disk' && !device.rm && !device.ro && device.tran !== 'usb' && untouched && unused && device.size >= 1024 ** 3
  );
}

/** A disk of ours whose making was cut short. */
function isUnfinished({ type, label, fstype, tran, rm, mountpoints }: BlockDevice): boolean {
  return (
    type === 'disk' &&
    label === unfinishedLabel &&
    fstype === 'btrfs' &&
    tran !== 'usb' &&
    !rm &&
    mountpoints.every((it) => it === null)
  );
}

async function listDevices(system: System): Promise<BlockDevice[]> {
  const columns = 'PATH,TYPE,LABEL,FSTYPE,PTTYPE,SIZE,RM,RO,TRAN,MOUNTPOINTS';
  const { stdout } = await system.run({ file: 'lsblk', args: ['--json', '--bytes', '--output', columns] });
  return (JSON.parse(stdout) as { blockdevices: BlockDevice[] }).blockdevices;
}

/** Signatures tools don't know are still data: the first and last MiB must be zero. */
function isBlank(device: string, size: number): boolean {
  const descriptor = openSync(device, 'r');
  try {
    const mebibyte = Buffer.alloc(1024 * 1024);
    return [0, size - mebibyte.length].every((position) => {
      readSync(descriptor, mebibyte, 0, mebibyte.length, position);
      return mebibyte.every((byte) => byte === 0);
    });
  } finally {
    closeSync(descriptor);
  }
}

async function makeSubvolume(device: string, system: System): Promise<void> {
  const at = '/run/devserver/new-data-disk';
  mkdirSync(at, { recursive: true });
  await system.run({ file: 'mount', args: ['-t', 'btrfs', '-o', 'noatime', '--', device, at] });
  try {
    await system.run({ file: 'btrfs', args: ['subvolume', 'create', `${at}/@srv`] });
  } finally {
    await system.run({ file: 'umount', args: ['--', at] });
  }
}

async function mount(device: string, system: System): Promise<void> {
  await system.run({ file: 'mount', args: ['-t', 'btrfs', '-o', 'subvol=@srv,noatime,nodev,nosuid', '--', device, '/srv'] });
}

function flatten(devices: readonly BlockDevice[]): BlockDevice[] {
  return devices.flatMap((device) => [device, ...flatten(device.children ?? [])]);
}
