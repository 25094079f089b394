import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../kernel/folder.ts';
import { sweepTemporaries, temporaryName } from './cache.ts';

/**
 * Runs `work` with a folder of its own in `dir`, on the same file system as the outputs, and removes it
 * whatever happens. What killed builds left there is swept first.
 */
export async function withWorkFolder<T>(dir: string, work: (folder: string) => Promise<T>): Promise<T> {
  makeFolder(dir);
  await sweepTemporaries(dir);
  const folder = path.join(dir, temporaryName());
  await mkdir(folder);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
