import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../kernel/folder.ts';
import { sweepTemporaries, temporaryName } from './cache.ts';

/**
 * Runs `work` with a folder of its own in `dir`, on the same file system as the outputs, and removes it
 * whatever happens. What killed builds left there is swept first; in a folder that is not ours alone, `prefix` has to be.
 */
export async function withWorkFolder<T>(dir: string, work: (folder: string) => Promise<T>, prefix = 'tmp-'): Promise<T> {
  makeFolder(dir);
  await sweepTemporaries(dir, prefix);
  const folder = path.join(dir, temporaryName(prefix));
  await mkdir(folder);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
