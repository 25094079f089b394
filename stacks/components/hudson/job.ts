import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { syncDirectory } from '../../../src/kernel/atomic-file.ts';
import { readPlain } from '../../../src/kernel/derived.ts';
import { DriverError, type ResourceVerbs } from '../../../src/kernel/driver-kit.ts';
import {
  listStored,
  makeStored,
  placeOf,
  purgeStash,
  readStored,
  removeMade,
  type Stored,
  stashOf,
  stashStored,
  unstashStored,
} from '../../../src/kernel/driver-store.ts';
import type { ProjectFacts, ResourceArgs } from '../../../src/kernel/project.ts';
import { configOf, configure, create, describe, idle, isKnown, knownJobs, quiesce, running } from './backend.ts';
import { configIn, discard, finishForgetting, forget, isAskedBy, isLeftover, store } from './forget.ts';
import { descriptionHtml, jobDifference, jobXml, workDifference } from './job-xml.ts';

/**
 * A project's job with the history of its builds. It is in two places, on the disk and in Hudson's memory; each verb looks
 * at both, and leaves both alike.
 */
export const job: ResourceVerbs = { list, read, make, apply, remove, stash, unstash, purge };

async function list(): Promise<string[]> {
  return [...new Set([...listStored(store), ...(await knownJobs())])];
}

async function read({ project, job: id }: ResourceArgs): Promise<Stored> {
  const { name } = project;
  const place = placeOf(store, name);
  const stored = readStored(store, name);
  const known = await isKnown(name);
  if (!stored.present) return known ? { present: true, lacks: 'Hudson remembers the job, its directory is gone' } : stored;
  const text = readPlain(configIn(place)) ?? '';
  if (stored.job === undefined && isLeftover(place)) {
    const maker = /<!-- devserver-job ([a-z0-9-]{8,40}) -->/.exec(text)?.[1];
    return { present: true, ...(maker === undefined ? {} : { job: maker }), lacks: `what is at ${place} was made by Hudson` };
  }
  const unknown = known ? undefined : 'it is on the disk, but Hudson does not know it';
  const differs = unknown ?? (text === '' ? 'config.xml is missing' : jobDifference(text, jobXml(project, id)));
  return differs === undefined ? stored : { ...stored, differs };
}

/** On the disk first and whole, with the name of the job that makes it; then Hudson learns of it. */
async function make({ project, job: id }: ResourceArgs): Promise<void> {
  const { name } = project;
  const xml = jobXml(project, id);
  const place = placeOf(store, name);
  if (existsSync(place) && isLeftover(place) && isAskedBy(place, id)) await forget(name, id);
  await makeStored(store, name, id, async (folder) => writeFileSync(path.join(folder, 'config.xml'), xml));
  await create(name, xml);
}

async function apply({ project, job: id }: ResourceArgs): Promise<void> {
  const { name, archived } = project;
  requireJob(name);
  const xml = jobXml(project, id);
  if ((await running(name)).length === 0) return configure(name, xml);
  if (archived) await quiesce(name);
  else if (await describedOnly(project, xml)) return;
  await configure(name, xml);
}

/** A whole configuration would spoil a running build: when it is only about words they alone are set, else it is waited for. */
async function describedOnly(project: ProjectFacts, xml: string): Promise<boolean> {
  const { name } = project;
  if (workDifference(await configOf(name), xml) === undefined) {
    await describe(name, descriptionHtml(project));
    return true;
  }
  if (!(await idle(name, 20)))
    throw new DriverError(`a build of ${name} is running`, 'wait until it has ended or stop it, then try again');
  return false;
}

async function remove({ project: { name }, job: id }: ResourceArgs): Promise<void> {
  const place = placeOf(store, name);
  const made = readStored(store, name);
  const ours = isLeftover(place) ? isAskedBy(place, id) : made.job === id;
  if (made.present && !ours) throw new DriverError(`${place} was not made by this job`, 'it is left as it is');
  await quiesce(name);
  if (!isLeftover(place)) removeMade(store, name, id);
  await forget(name, id);
}

async function stash({ project: { name }, job: id }: ResourceArgs): Promise<void> {
  if (!existsSync(stashOf(store, id))) {
    requireJob(name);
    await quiesce(name);
    stashStored(store, name, id);
  }
  await forget(name, id);
}

/** Hudson makes an empty job, which then gets the history: when making it fails, Hudson deletes what lies in its place. */
async function unstash({ project, job: id }: ResourceArgs): Promise<void> {
  const { name } = project;
  const place = placeOf(store, name);
  const xml = jobXml(project, id);
  if (existsSync(stashOf(store, id))) {
    if (existsSync(place) && !isLeftover(place))
      throw new DriverError(`there is already something at ${place}`, 'somebody put it there by hand: look at it');
    if (!(await isKnown(name))) {
      discard(name, id);
      await create(name, xml);
    }
    exchange(name, id);
  } else {
    requireJob(name);
  }
  await configure(name, xml);
  // a `stash` of this job may have been cut short between giving the old job its other name and deleting it
  await finishForgetting(name, id);
}

/** The placeholder goes, the data comes; killed in between the data is still in the stash. */
function exchange(name: string, id: string): void {
  const aside = `${stashOf(store, id)}.new`;
  rmSync(aside, { recursive: true, force: true });
  if (existsSync(placeOf(store, name))) renameSync(placeOf(store, name), aside);
  unstashStored(store, name, id);
  syncDirectory(store.root);
  rmSync(aside, { recursive: true, force: true });
}

async function purge({ job: id }: ResourceArgs): Promise<void> {
  purgeStash(store, id);
}

/** Before Hudson is asked for anything: saving a job it remembers, Hudson would make an empty directory for it. */
function requireJob(name: string): void {
  if (!readStored(store, name).present)
    throw new DriverError(`the job ${name} with its builds is missing`, 'restore it from a backup');
}
