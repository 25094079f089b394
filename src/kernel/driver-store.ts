import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { jobPattern, projectNamePattern } from './appliance.ts';
import { DriverError } from './driver-kit.ts';
import { realSystem } from './system.ts';

/**
 * A driver's own directory with one entry per project, and `.stash` beside them for what is being made or was deleted.
 * Only the driver's account may write in it, and nobody else below the entries' names.
 */
export interface Store {
  /** Such as /srv/git. */
  readonly root: string;
  /** Of an entry's name, such as .git; or nothing. */
  readonly suffix: string;
}

/** What `read` says of a project's data: whether it is there, and which job made it; docs/projects.md. */
export interface Stored {
  readonly present: boolean;
  readonly job?: string;
  /** What is derived from the facts and is not as `apply` would make it. */
  readonly differs?: string;
  /** What of the data itself is missing, though its place is taken. */
  readonly lacks?: string;
}

/** File in a project's data that names the job that made it: rollback removes nothing else. */
const marker = 'devserver-job';

const wholeName = new RegExp(`^${projectNamePattern}$`);

/** Where a project's data is. @throws DriverError for a name no project can have. */
export function placeOf({ root, suffix }: Store, name: string): string {
  if (!wholeName.test(name)) throw new DriverError(`${JSON.stringify(name)} is no project's name`);
  return path.join(root, `${name}${suffix}`);
}

/** Where a job's deleted data lies. @throws DriverError for what is no job. */
export function stashOf({ root, suffix }: Store, job: string): string {
  if (!jobPattern.test(job)) throw new DriverError(`${JSON.stringify(job)} is no job`);
  const folder = path.join(root, '.stash');
  isThere(folder);
  return path.join(folder, `${job}${suffix}`);
}

/** Whether the data is there; a link or a file in its place is an error. */
export function readStored(store: Store, name: string): Stored {
  const place = placeOf(store, name);
  if (!isThere(place)) return { present: false };
  const job = makerOf(place);
  return { present: true, ...(job === undefined ? {} : { job }) };
}

/** The projects whose place is taken, by whatever: what is there is for `readStored` to say. Names no project has are left out. */
export function listStored({ root, suffix }: Store): string[] {
  return readdirSync(root)
    .filter((entry) => entry.endsWith(suffix))
    .map((entry) => entry.slice(0, entry.length - suffix.length))
    .filter((name) => wholeName.test(name))
    .sort();
}

/** Where the data is that must be there. @throws DriverError when it is missing: it is never made again empty. */
export function presentPlace(store: Store, name: string): string {
  const place = placeOf(store, name);
  if (!isThere(place)) throw missing(place);
  return place;
}

/** Which of the paths below `place` that make it what it is are missing; undefined: none. */
export function lackOf(place: string, essential: readonly string[]): string | undefined {
  const gone = essential.filter((it) => lstatSync(path.join(place, it), { throwIfNoEntry: false }) === undefined);
  return gone.length === 0 ? undefined : `${gone.join(', ')} ${gone.length === 1 ? 'is' : 'are'} missing`;
}

/**
 * Makes a project's data, whole or not at all: `build` fills a directory beside its place, which one rename then publishes.
 * Asked again by the same job it does nothing. @throws DriverError when something else is there.
 */
export async function makeStored(
  store: Store,
  name: string,
  job: string,
  build: (folder: string) => Promise<void>,
): Promise<void> {
  const place = placeOf(store, name);
  const fresh = freshOf(store, job);
  const present = readStored(store, name);
  if (present.present && present.job === job) return;
  if (present.present) throw taken(place);
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true, mode: 0o750 });
  await build(fresh);
  writeFileSync(path.join(fresh, marker), `${job}\n`, { flag: 'wx' });
  // the programs of some leave that to the file system, which may publish the name before the content
  await flushBelow(fresh);
  publish(fresh, place);
  flush(store.root);
}

/** Takes back what this job made, half-made things too. @throws DriverError when what is there is another job's. */
export function removeMade(store: Store, name: string, job: string): void {
  const place = placeOf(store, name);
  const gone = freshOf(store, job);
  rmSync(gone, { recursive: true, force: true });
  const { present, job: maker } = readStored(store, name);
  if (!present) return;
  if (maker !== job) throw new DriverError(`${place} was not made by this job`, 'it is left as it is');
  renameSync(place, gone);
  flush(store.root);
  rmSync(gone, { recursive: true, force: true });
}

/** Moves a project's data to the stash of a job; done already is fine. @throws DriverError when it is nowhere. */
export function stashStored(store: Store, name: string, job: string): void {
  move(store, placeOf(store, name), stashOf(store, job));
}

/** Moves it back. */
export function unstashStored(store: Store, name: string, job: string): void {
  move(store, stashOf(store, job), placeOf(store, name));
}

/** Deletes the stash of a job. */
export function purgeStash(store: Store, job: string): void {
  const stash = stashOf(store, job);
  const gone = freshOf(store, job);
  rmSync(gone, { recursive: true, force: true });
  if (!isThere(stash)) return;
  // first out of the way: nothing half deleted may ever be taken for the stash
  renameSync(stash, gone);
  flush(path.dirname(stash));
  rmSync(gone, { recursive: true, force: true });
}

function move(store: Store, from: string, to: string): void {
  if (!isThere(from)) {
    if (isThere(to)) return;
    throw missing(from);
  }
  if (isThere(to)) throw taken(to);
  publish(from, to);
  flush(store.root);
  flush(path.join(store.root, '.stash'));
}

/** A directory's rename: the kernel refuses to put it where one with content is. */
function publish(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw taken(to);
    throw error;
  }
}

/** What is being made, or half deleted. */
function freshOf(store: Store, job: string): string {
  return `${stashOf(store, job)}.new`;
}

/** Whether a directory is there. @throws DriverError for anything else in its place: a link would lead out of the store. */
function isThere(place: string): boolean {
  const seen = lstatSync(place, { throwIfNoEntry: false });
  if (seen === undefined) return false;
  if (!seen.isDirectory()) throw new DriverError(`${place} is not a directory`, 'somebody put it there by hand: look at it');
  return true;
}

/** The job a directory's marker names. */
function makerOf(place: string): string | undefined {
  const file = path.join(place, marker);
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const job = readFileSync(descriptor, 'utf8').trim();
    return jobPattern.test(job) ? job : undefined;
  } finally {
    closeSync(descriptor);
  }
}

const missing = (place: string): DriverError => new DriverError(`the data at ${place} is missing`, 'restore it from a backup');
const taken = (place: string): DriverError =>
  new DriverError(`there is already something at ${place}`, 'choose another name, or look at what somebody put there');

/** By the whole file system at once: over a folder of many small files that is ten times as quick as one by one. */
async function flushBelow(folder: string): Promise<void> {
  await realSystem().run({ file: 'sync', args: ['--file-system', folder] });
}

function flush(target: string): void {
  const descriptor = openSync(target, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
