import { setTimeout as sleep } from 'node:timers/promises';
import { DriverError } from '../../../src/kernel/driver-kit.ts';
import { hudson, must } from './rest.ts';

const at = (name: string): string => `job/${encodeURIComponent(name)}`;

/** Whether Hudson knows the job, whatever is on the disk. */
export async function isKnown(name: string): Promise<boolean> {
  return (await hudson('GET', `${at(name)}/api/json?tree=name`)).status === 200;
}

/** All jobs that Hudson knows, by name. */
export async function knownJobs(): Promise<string[]> {
  const { jobs } = JSON.parse((await must('GET', 'api/json?tree=jobs%5Bname%5D')).body) as { jobs?: { name: string }[] };
  return (jobs ?? []).map(({ name }) => name);
}

/** The job as Hudson keeps it. */
export async function configOf(name: string): Promise<string> {
  return (await must('GET', `${at(name)}/config.xml`)).body;
}

/**
 * Makes Hudson know the job in jobs/NAME, or in a directory it makes; known already, it gets this configuration.
 * When it fails, Hudson deletes that directory with all it holds: never call this over data.
 */
export async function create(name: string, xml: string): Promise<void> {
  const { status } = await hudson('POST', `createItem?name=${encodeURIComponent(name)}`, xml);
  if (status < 300) return;
  if (status === 400 && (await isKnown(name))) return configure(name, xml);
  throw new DriverError(`Hudson answered ${status} when it was to make the job ${name}`, 'journalctl -u devserver-tomcat@hudson');
}

/**
 * Sets the whole configuration. Hudson reads the job's builds from the disk again: that shows a history put there, and
 * makes it take a build that is still running for one that failed.
 */
export async function configure(name: string, xml: string): Promise<void> {
  const { status } = await hudson('POST', `${at(name)}/config.xml`, xml);
  if (status === 404)
    throw new DriverError(
      `the job ${name} is on the disk, but Hudson does not know it`,
      'systemctl restart devserver-tomcat@hudson reads it again',
    );
  if (status >= 400) throw new DriverError(`Hudson answered ${status} to the configuration of ${name}`);
}

/** Sets the description alone, which leaves running builds as they are. */
export async function describe(name: string, html: string): Promise<void> {
  await must('POST', `${at(name)}/description?description=${encodeURIComponent(html)}`);
}

export async function startBuild(name: string): Promise<void> {
  const { status } = await hudson('POST', `${at(name)}/build?delay=0sec`);
  if (status >= 400) throw new DriverError(`Hudson answered ${status} when it was to build ${name}`);
}

/** Numbers of the builds that are running; none of a job Hudson doesn't know. */
export async function running(name: string): Promise<number[]> {
  const { status, body } = await hudson('GET', `${at(name)}/api/json?tree=builds%5Bnumber,building%5D`);
  if (status !== 200) return [];
  const { builds } = JSON.parse(body) as { builds?: { number: number; building: boolean }[] };
  return (builds ?? []).filter(({ building }) => building).map(({ number }) => number);
}

/** Waits until no build runs; false: one still does after `seconds`. */
export async function idle(name: string, seconds: number): Promise<boolean> {
  const end = performance.now() + seconds * 1000;
  while ((await running(name)).length > 0) {
    if (performance.now() > end) return false;
    await sleep(200);
  }
  return true;
}

/** Lets no further build begin and stops those that run. @throws DriverError when one goes on. */
export async function quiesce(name: string): Promise<void> {
  // takes it out of the queue too
  if ((await hudson('POST', `${at(name)}/disable`)).status === 404) return;
  for (const number of await running(name)) await hudson('POST', `${at(name)}/${number}/stop`);
  if (!(await idle(name, 15))) throw new DriverError(`a build of ${name} does not stop`, 'stop it in Hudson, then try again');
}

/** Gives a job that Hudson knows another name, on the disk too; done when it returns. */
export async function rename(name: string, to: string): Promise<void> {
  await must('POST', `${at(name)}/doRename?newName=${encodeURIComponent(to)}`);
  if (await isKnown(name)) throw new DriverError(`Hudson did not rename ${name}`, 'is a build of it running?');
}

/** Deletes a job; a thread of Hudson's deletes its directory some time after the answer. */
export async function destroy(name: string): Promise<void> {
  await hudson('POST', `${at(name)}/doDelete`);
}
