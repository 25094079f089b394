import { setTimeout as sleep } from 'node:timers/promises';
import type { Office } from '../api/office.ts';
import { expired } from './deleted.ts';
import { dropOldJobs } from './old-jobs.ts';
import { watchSpools } from './spool.ts';

const hour = 3_600_000;
const day = 24 * hour;

/**
 * What the daemon does before it takes new work, and then in the background: publishes the facts of all projects, ends what
 * a crash left open, tells who the administrators are, throws away jobs that ended and what was deleted long ago.
 * @param pause between two tries to end the same, in milliseconds; it keeps nobody from ending
 */
export async function startWork(
  office: Office,
  pause: (milliseconds: number) => Promise<unknown> = (milliseconds) => sleep(milliseconds, undefined, { ref: false }),
): Promise<void> {
  const { bench, workshop } = office;
  const projects = bench.specifications.all();
  bench.facts.keepOnly(new Set(projects.map(({ name }) => name)));
  for (const project of projects) bench.facts.publish(workshop.factsOf(project));
  bench.formerNames.publish(projects);
  // at once, so that unfinished work comes before whatever is asked for now
  let open = workshop.takeUpAll();
  daily(async () => {
    const count = await dropOldJobs(bench.jobs, new Date());
    if (count > 0) console.log(`jobs that ended long ago and are forgotten: ${count}`);
  });
  daily(() => dropExpired(office));
  watchSpools(office);
  await untilTold(office);
  for (let wait = 60_000; ; wait = Math.min(wait * 2, hour)) {
    const left = await open;
    if (left.length === 0) break;
    console.log(`not all could be taken back yet: ${left.join(', ')}`);
    await pause(wait);
    open = workshop.takeUpAll();
  }
  // those that were left open since
  setInterval(() => void workshop.takeUpAll().catch((error: unknown) => console.error(error)), hour).unref();
}

/** Now, and then once a day. What fails is tried again the next day. */
function daily(work: () => Promise<void>): void {
  const once = (): void => void work().catch((error: unknown) => console.error(error));
  once();
  setInterval(once, day).unref();
}

/** The directory may still be starting. */
async function untilTold(office: Office): Promise<void> {
  for (let wait = 250; ; wait = Math.min(wait * 2, 10_000)) {
    try {
      return await office.publishSite();
    } catch (error) {
      console.log(`the administrators can't be told yet: ${error instanceof Error ? error.message : String(error)}`);
      await sleep(wait);
    }
  }
}

async function dropExpired({ bench, workshop }: Office): Promise<void> {
  for (const { job, project } of expired(bench.deleted.all(), new Date()))
    await workshop.alone(project.name, async () => {
      // it may be coming back just now, or be back since
      if (workshop.isOpen(project.name) || !bench.deleted.all().some((it) => it.job === job)) return;
      await bench.archive.act('drop', job);
      await bench.audit({ who: 'devserverd', what: 'archive drop', to: project.name, job, result: 'done' });
      // last: as long as it stands there, the rest is done again
      bench.deleted.drop(job);
    });
}
