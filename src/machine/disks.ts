import { existsSync, statSync } from 'node:fs';
import { open, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { exitCodes, shownPath, UserError } from '../kernel/errors.ts';
import type { System } from '../kernel/system.ts';
import type { Instance, MachinePaths } from './instance.ts';

const imageSchema = z.object({
  id: z.string(),
  /** Where the ext4 root partition lies in system.raw, bytes. */
  root: z.object({ offset: z.number(), bytes: z.number() }),
});

/** What running needs to know of a built image; the rest of image.json is the build's business. */
export type ImageFacts = Readonly<z.infer<typeof imageSchema>>;

/** Reads OUT/image.json. */
export async function readImage(out: string): Promise<ImageFacts> {
  const file = path.join(out, 'image.json');
  const build = `create-devserver build ${shownPath(path.dirname(out))}`;
  if (!isThere(file) || !isThere(path.join(out, 'system.raw'))) {
    throw new UserError(`${out} holds no built image`, {
      hint: `build it first: ${build}`,
      exitCode: exitCodes.failedUndone,
    });
  }
  try {
    return imageSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw new UserError(`${file} does not describe an image this version can run`, {
      hint: `build it again: ${build}`,
      exitCode: exitCodes.badData,
      cause: error,
    });
  }
}

/** Fails for what this account may not look at, where existsSync would call it missing. */
function isThere(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/**
 * Gives the machine its own system disk, a copy (shared blocks where the file system can), so that
 * the image may be built again while the machine runs. Both backends use the same raw file.
 * A disk from another image is replaced: that is the upgrade; the data disk stays.
 */
export async function prepareSystemDisk(
  instance: Instance,
  paths: MachinePaths,
  image: ImageFacts,
  recordedImage: string | undefined,
  system: System,
): Promise<'kept' | 'made' | 'replaced'> {
  const exists = existsSync(paths.system);
  if (exists && recordedImage === image.id) return 'kept';
  const beside = `${paths.system}.new`;
  const from = path.join(instance.out, 'system.raw');
  try {
    const args = ['--sparse=always', '--reflink=auto', '--', from, beside];
    await system.run({ file: 'cp', args });
    await rename(beside, paths.system);
  } finally {
    await rm(beside, { force: true });
  }
  return exists ? 'replaced' : 'made';
}

/**
 * Makes the blank sparse data disk once; grows the file when more is asked for; never shrinks or empties it.
 * Returns its size in bytes.
 */
export async function prepareDataDisk(instance: Instance, paths: MachinePaths): Promise<number> {
  const bytes = instance.dataMiB * 1024 ** 2;
  if (!existsSync(paths.data)) await (await open(paths.data, 'wx', 0o600)).close();
  const { size } = await stat(paths.data);
  if (size < bytes) await truncate(paths.data, bytes);
  return Math.max(size, bytes);
}

/**
 * Whether a disk was never written: nothing but zeros where partition tables, file systems and
 * btrfs' second superblock (64 MiB) would be.
 */
export async function isBlank(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    for (const start of [0, 64 * 1024 ** 2]) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(1024 ** 2), 0, 1024 ** 2, start);
      if (buffer.subarray(0, bytesRead).some((byte) => byte !== 0)) return false;
    }
    return true;
  } finally {
    await handle.close();
  }
}
