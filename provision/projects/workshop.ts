import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { ProjectFacts, ProjectSpecification } from '../../src/kernel/project.ts';
import type { Bench } from './bench.ts';
import { carrierFor } from './carrier.ts';
import { carryOut, type Outcome, progressOf, takeUp } from './carry-out.ts';
import { requireDataDisk } from './data-disk.ts';
import { deferred } from './deferred.ts';
import { factsOf } from './facts.ts';
import { makeFeed } from './feed.ts';
import { type Hold, makeHold } from './hold.ts';
import { type Job, type JobEvent, newJobName, type Prepared } from './job.ts';
import { isSettled, listJobs, openJournal, readChange, readJournal, type TimedRecord } from './journal.ts';
import { type Lanes, makeLanes } from './locks.ts';
import { type OpenJobs, openJobs } from './open-jobs.ts';
import { type Change, planChange, projectsOf } from './plan.ts';
import { requirePossible } from './remains.ts';
import { makeUnderWay, type UnderWay } from './under-way.ts';

/** Where changes of projects are carried out: one at a time per project, different projects side by side. */
export interface Workshop {
  /** Carries out what `prepare` decides once the project is free, under each of its names. @throws UserError when it refuses. */
  readonly start: (names: string | readonly string[], by: string, prepare: () => Promise<Prepared>) => Promise<Job>;
  /** Does something while no job of the project runs; those that run or wait already come first. */
  readonly alone: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  /** Whether a change of the project began and is not ended: what there is of it is that change's business. */
  readonly isOpen: (name: string) => boolean;
  /**
   * Resolves once no job that has looked already can make this person a member of anything any more; those that look later
   * must not find them. @throws UserError (exit 7) when one is left open that could.
   */
  readonly without: (user: string) => Promise<void>;
  /** Keeps jobs, and repairs of the doctor, from running for a moment. */
  readonly hold: Pick<Hold, 'take' | 'renew' | 'release'>;
  /** Jobs that are not ended. */
  readonly openJobs: OpenJobs['all'];
  /** The facts of a project as they are, or would be. */
  readonly factsOf: (project: ProjectSpecification) => ProjectFacts;
  /** Ends what a crash or a failing undo left open. Returns the jobs that are still open. */
  readonly takeUpAll: () => Promise<string[]>;
}

/** The lane in which the jobs of a project wait for each other. */
const turnOf = (name: string): string => `project:${name}`;

/** How many jobs at once, over all projects. */
const jobsAtOnce = 8;

/** Opens the workshop on its bench. */
export function openWorkshop(bench: Bench): Workshop {
  const lanes = makeLanes();
  const running = new Set<string>();
  const open = openJobs();
  const underWay = makeUnderWay();
  const hold = makeHold();
  const facts = (project: ProjectSpecification): ProjectFacts =>
    factsOf(bench.catalogue, project, bench.url(), bench.templateOf(project.template));
  const shop: Shop = { bench, lanes, facts, running, open, underWay, hold };
  return {
    hold,
    openJobs: open.all,
    factsOf: facts,
    isOpen: open.has,
    without: async (user) => {
      await underWay.without(user);
      open.refusePerson(user);
    },
    alone: (name, work) => lanes.run(turnOf(name), 1, () => hold.during(work)),
    start: (names, by, prepare) => {
      const started = deferred<Job>();
      const act = (): Promise<void> => underWay.during((decided) => work(shop, by, prepare, decided, started.resolve));
      void inTurn(lanes, [names].flat(), () => hold.during(act)).catch(started.reject);
      return started.promise;
    },
    takeUpAll: async () => {
      const left = listJobs(bench.jobs).filter((job) => !running.has(job) && !isSettled(bench.jobs, job));
      // each takes its project's place at once, before anybody new can
      const ends = await Promise.all(left.map((job) => endsNow(shop, job)));
      return left.filter((_, index) => ends[index] === false);
    },
  };
}

/** Once no other job is at any of these projects. All take their turns in one order, so that no two wait for each other. */
function inTurn<T>(lanes: Lanes, names: readonly string[], act: () => Promise<T>): Promise<T> {
  const turns = [...new Set(names)].sort().reverse();
  return turns.reduce(
    (next, name) => () => lanes.run(turnOf(name), 1, next),
    () => lanes.run('jobs', jobsAtOnce, act),
  )();
}

interface Shop {
  readonly bench: Bench;
  readonly lanes: Lanes;
  readonly facts: Workshop['factsOf'];
  /** Jobs that somebody is at. */
  readonly running: Set<string>;
  readonly open: OpenJobs;
  readonly underWay: UnderWay;
  readonly hold: Hold;
}

async function work(
  { bench, lanes, facts, running, open }: Shop,
  by: string,
  prepare: () => Promise<Prepared>,
  decided: (change: Change) => void,
  started: (job: Job) => void,
): Promise<void> {
  const { change, seed } = await prepare();
  decided(change);
  for (const name of projectsOf(change)) open.refuse(name);
  requireDataDisk(bench.jobs, change.kind === 'delete');
  const id = newJobName(new Date());
  const plan = planChange(bench.catalogue, change);
  await requirePossible(bench, facts, change, id);
  const feed = makeFeed<JobEvent>();
  const begun = performance.now();
  running.add(id);
  const journal = openJournal(bench.jobs, id, bench.atLine);
  const outcome = deferred<Outcome>();
  // nobody may be waiting for it
  outcome.promise.catch(() => {});
  try {
    journal.write({ is: 'begin', change, by, steps: plan.steps.map(({ key, verb }) => `${key} ${verb}`) });
    open.add(id, change);
    feed.push({ type: 'job', job: id, steps: plan.steps.length });
    started({ id, plan, events: feed.read, outcome: outcome.promise });
    const carrier = carrierFor(bench, lanes, facts, plan, id, by, seed, 'live', (index, step, state) => {
      const seconds = (performance.now() - begun) / 1000;
      feed.push({ type: 'step', index, count: plan.steps.length, key: step.key, verb: step.verb, state, seconds });
    });
    const end = await carryOut(plan, journal, carrier);
    if (isHarmless(bench.jobs, id, end)) open.drop(id);
    outcome.resolve(end);
  } catch (error) {
    outcome.reject(error);
    throw error;
  } finally {
    feed.end();
    journal.close();
    running.delete(id);
  }
}

/** Whether nothing is left of a job now. One that can't be ended yet keeps neither the others nor the daemon from working. */
async function endsNow(shop: Shop, job: string): Promise<boolean> {
  try {
    return (await resume(shop, job))?.result !== 'left';
  } catch (error) {
    console.error(`${job} can't be ended yet: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  } finally {
    shop.running.delete(job);
  }
}

/** A job whose journal can't be read is ended by nobody; nothing new is done to its project meanwhile. */
function recordsOf(bench: Bench, open: OpenJobs, job: string): TimedRecord[] {
  try {
    return readJournal(bench.jobs, job);
  } catch (error) {
    const change = readChange(bench.jobs, job);
    if (change !== undefined) open.add(job, change);
    throw error;
  }
}

async function resume({ bench, lanes, facts, running, open, underWay, hold }: Shop, job: string): Promise<Outcome | undefined> {
  running.add(job);
  const records = recordsOf(bench, open, job);
  const begin = records.find((it) => it.is === 'begin');
  // died before it said what it would do: it did nothing
  if (begin?.is !== 'begin') return undefined;
  const plan = planChange(bench.catalogue, begin.change);
  open.add(job, begin.change);
  const end = async (): Promise<Outcome> => {
    const journal = openJournal(bench.jobs, job, bench.atLine);
    try {
      const carrier = carrierFor(bench, lanes, facts, plan, job, begin.by, undefined, 'takenUp');
      const outcome = await takeUp(plan, progressOf(records), journal, carrier);
      if (isHarmless(bench.jobs, job, outcome)) open.drop(job);
      return outcome;
    } finally {
      journal.close();
      running.delete(job);
    }
  };
  return underWay.during((decided) => {
    decided(begin.change);
    return inTurn(lanes, projectsOf(begin.change), () => hold.during(end));
  });
}

/**
 * Whether taking the job up once more would touch nothing: it may be that all was taken back and the journal, on a full disk,
 * does not know. Whatever came in its place would then be taken back as well.
 */
function isHarmless(jobs: string, job: string, end: Outcome): boolean {
  if (end.result === 'left') return false;
  return end.result === 'done' || progressOf(readJournal(jobs, job)).open.length === 0;
}

/** A job that began and could not be done. */
export class JobFailure extends UserError {}

/** What a finished job means for who asked for it. @throws JobFailure unless it is done. */
export function requireDone(end: Outcome): void {
  if (end.result === 'done') return;
  const { error } = end;
  const hint = error instanceof UserError ? error.hint : undefined;
  if (end.result === 'undone')
    throw new JobFailure(error.message, { ...(hint === undefined ? {} : { hint }), exitCode: exitCodes.failedUndone });
  throw new JobFailure(error.message, {
    hint: end.committed
      ? 'the change is made; what is left to clean up is tried again, now with: devserver job resume'
      : 'some of it could not be taken back yet: devserver job resume',
    details: end.left,
    exitCode: exitCodes.failedNotUndone,
  });
}
