import { statfsSync } from 'node:fs';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';

/** No file of vfat is longer. */
const longestOnVfat = 2 ** 32 - 1;
const msdos = 0x4d44;

/** What a folder takes. */
export interface Room {
  /** Bytes that are free. */
  readonly free: number;
  /** Bytes one file may have. */
  readonly longest: number;
}

/** Asks the file system of a folder. */
export function roomIn(folder: string): Room {
  const { bavail, bsize, type } = statfsSync(folder);
  return { free: bavail * bsize, longest: type === msdos ? longestOnVfat : Number.POSITIVE_INFINITY };
}

/** Bytes that stay free on the data disk: less would stop the live appliance. */
const leastFree = 512 << 20;

/** Whether so many bytes more in a folder of the data disk leave enough to the live appliance. */
export function leavesEnough(folder: string, bytes = 0): boolean {
  return roomIn(folder).free - bytes >= leastFree;
}

/** Whether a file of this length fits for sure. */
export function fits({ free, longest }: Room, bytes: number): boolean {
  return bytes <= free && bytes <= longest;
}

/** @throws UserError (exit 4) for a file of this length, before it is written. */
export function requireRoom(room: Room, bytes: number, to: string): void {
  if (fits(room, bytes)) return;
  const needed = shown(bytes);
  if (bytes > room.longest)
    throw new UserError(`the backup takes ${needed}, and vfat in ${to} takes no file over 4.3 GB`, {
      exitCode: exitCodes.machineLacks,
      hint: 'make exfat or ext4 on the disk: mkfs.exfat -L DEVSERVER-B, or mkfs.ext4 -L DEVSERVER-BACKUP; that deletes what it holds',
    });
  throw new UserError(`the backup takes ${needed}, and ${shown(room.free)} are free in ${to}`, {
    exitCode: exitCodes.machineLacks,
    hint: 'devserver backup prune deletes old ones; or take a larger disk',
  });
}

const shown = (bytes: number): string => (bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);
