import { existsSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { appliancePaths, jobPattern } from '../../src/kernel/appliance.ts';
import { syncDirectory } from '../../src/kernel/atomic-file.ts';
import { DriverError, serveDriver } from '../../src/kernel/driver-kit.ts';
import { readCatalogue } from '../../src/kernel/read-catalogue.ts';
import { realSystem } from '../../src/kernel/system.ts';

/**
 * Puts the stashes of a deleted project into one file, and back. Runs as root, since the stashes belong to the accounts of
 * the components; so it takes a job's name and nothing else: which paths that means stands in the catalogue of the image.
 */
const folder = '/srv/system/deleted';
const top = '/srv';
const system = realSystem();
const catalogue = readCatalogue();

/** Where the data of a deletion may lie, relative to /srv. */
function stashesOf(job: string): string[] {
  const patterns = catalogue.components.flatMap(({ project }) => project.flatMap(({ stash }) => stash ?? []));
  return [...new Set(patterns)].map((it) => path.relative(top, it.replace('{job}', job)));
}

function jobOf(args: unknown): string {
  const job = (args as { job?: unknown } | null)?.job;
  if (typeof job === 'string' && jobPattern.test(job)) return job;
  throw new DriverError(`${JSON.stringify(job)} is no job`);
}

const fileOf = (job: string): string => path.join(folder, `${job}.tar.zst`);

/** One file of all that is there, compared with it afterwards, on the disk when this returns. */
async function pack(args: unknown): Promise<void> {
  const job = jobOf(args);
  const present = stashesOf(job).filter((it) => lstatSync(path.join(top, it), { throwIfNoEntry: false })?.isDirectory());
  if (present.length === 0) {
    if (existsSync(fileOf(job))) return;
    throw new DriverError(`nothing lies in the stash of ${job}`);
  }
  const fresh = `${fileOf(job)}.new`;
  const common = ['--directory', top, '--numeric-owner', '--zstd'];
  try {
    await system.run({ file: 'tar', args: ['--create', '--file', fresh, ...common, '--', ...present], timeout: 800_000 });
    await system.run({ file: 'tar', args: ['--compare', '--file', fresh, ...common], timeout: 800_000 });
    const handle = await open(fresh, 'r');
    await handle.sync();
    await handle.close();
    renameSync(fresh, fileOf(job));
    syncDirectory(folder);
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** The stashes as they were. What lies there, of an attempt that was cut short, goes first. */
async function unpack(args: unknown): Promise<void> {
  const job = jobOf(args);
  if (!existsSync(fileOf(job))) throw new DriverError(`the archive of ${job} is missing`, 'restore the project from a backup');
  await purge(args);
  // names that lead elsewhere are left out by tar itself; only our own stashes are asked for
  const members = await system.run({ file: 'tar', args: ['--list', '--zstd', '--file', fileOf(job)], timeout: 800_000 });
  const own = stashesOf(job);
  const strange = members.stdout.split('\n').find((it) => !own.some((stash) => it === `${stash}/` || it.startsWith(`${stash}/`)));
  if (strange !== undefined) throw new DriverError(`the archive of ${job} holds ${strange}, which is not ours`);
  const options = ['--directory', top, '--numeric-owner', '--same-permissions', '--same-owner', '--zstd'];
  await system.run({ file: 'tar', args: ['--extract', '--file', fileOf(job), ...options], timeout: 800_000 });
}

/** What was taken out of a backup to where the drivers take it from; done already is fine. */
async function place(args: unknown): Promise<void> {
  const job = jobOf(args);
  const from = path.join(appliancePaths.restore, 'projects', job);
  for (const stash of stashesOf(job)) {
    const [source, target] = [path.join(from, stash), path.join(top, stash)];
    if (lstatSync(source, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    if (existsSync(target)) throw new DriverError(`something lies in the stash of ${job}`, 'it is left as it is');
    renameSync(source, target);
    syncDirectory(path.dirname(target));
  }
}

async function purge(args: unknown): Promise<void> {
  for (const stash of stashesOf(jobOf(args))) rmSync(path.join(top, stash), { recursive: true, force: true });
}

async function drop(args: unknown): Promise<void> {
  rmSync(fileOf(jobOf(args)), { force: true });
}

serveDriver({ pack, unpack, place, purge, drop });
