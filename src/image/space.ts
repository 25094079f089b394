import { stat, statfs } from 'node:fs/promises';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { makeFolder } from '../kernel/folder.ts';

/** Space that a build needs in a folder. */
export interface SpaceNeed {
  readonly folder: string;
  readonly bytes: number;
}

/** Bytes needed beside DIR/out: the root file system's tar, the raw disk and its compressed form. */
export const outputNeed = 3e9;
/** Bytes needed beside it for each output that was asked for: its own, and a disk that it is packed from. */
export const furtherNeed = 1e9;
/** Bytes needed in the cache while the package layer is made: its tree, packages and tar. */
export const layerNeed = 3e9;

/** Bytes free for us in a folder. */
export type FreeSpace = (folder: string) => Promise<number>;

/**
 * Checks that the needed space is free, adding up needs on the same file system.
 * @throws UserError (exit 4) naming folder, need and what there is.
 */
export async function requireSpace(needs: readonly SpaceNeed[], freeIn: FreeSpace = freeSpace): Promise<void> {
  const byDevice = new Map<number, SpaceNeed>();
  for (const { folder, bytes } of needs) {
    makeFolder(folder);
    const { dev } = await stat(folder);
    const before = byDevice.get(dev);
    byDevice.set(dev, { folder: before?.folder ?? folder, bytes: bytes + (before?.bytes ?? 0) });
  }
  for (const { folder, bytes } of byDevice.values()) {
    const free = await freeIn(folder);
    if (free >= bytes) continue;
    throw new UserError(`${folder} has ${gigabytes(free)} free, the build needs ${gigabytes(bytes)}`, {
      hint: 'free some space, or name another folder or cache',
      exitCode: exitCodes.machineLacks,
    });
  }
}

async function freeSpace(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
