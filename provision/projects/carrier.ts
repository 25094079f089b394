import type { ProjectFacts, ProjectSpecification } from '../../src/kernel/project.ts';
import type { Bench } from './bench.ts';
import type { Carrier, Outcome } from './carry-out.ts';
import type { Lanes } from './locks.ts';
import { archiveKey, type Change, type ChangePlan, projectOf, type Verb, wordsOf } from './plan.ts';
import { type Resource, resourcesOf } from './resources.ts';
import type { ProjectSeed } from './seed.ts';
import { patiently, removeForSure } from './undo.ts';

/** The facts of a project as it is, or would be. */
export type FactsOf = (project: ProjectSpecification) => ProjectFacts;

/** What a job's steps do, on this bench. `by`: who asked for it. `mode`: how long an undo is tried again. */
export function carrierFor(
  bench: Bench,
  lanes: Lanes,
  facts: FactsOf,
  { change }: ChangePlan,
  job: string,
  by: string,
  seed: ProjectSeed | undefined,
  mode: 'live' | 'takenUp',
  onStep?: Carrier['onStep'],
): Carrier {
  const patience = (bench.patience ?? { live: 30_000, takenUp: 900_000 })[mode];
  const stashJob = 'from' in change ? change.from : job;
  const sides = {
    before: 'before' in change ? facts(change.before) : undefined,
    after: 'after' in change ? facts(change.after) : undefined,
  };
  const side = (which: 'before' | 'after'): ProjectFacts => {
    const found = sides[which];
    if (found === undefined) throw new Error(`a change of the kind ${change.kind} has no ${which}`);
    return found;
  };
  const resource = (key: string, which: 'before' | 'after'): Resource => {
    const found = resourcesOf(bench.catalogue, side(which)).find((it) => it.key === key);
    if (found === undefined) throw new Error(`this appliance has no resource ${key}`);
    return found;
  };
  const act = async (key: string, verb: Verb, which: 'before' | 'after'): Promise<void> => {
    if (key === archiveKey) return bench.archive.act(verb, stashJob);
    const it = resource(key, which);
    const verbs: readonly Verb[] = verb === 'adopt' ? ['unstash', 'apply'] : [verb];
    await lanes.run(`lane:${key}`, it.lane ?? Number.POSITIVE_INFINITY, async () => {
      for (const each of verbs) {
        const about = ['stash', 'unstash', 'purge'].includes(each) ? stashJob : job;
        await bench.backends.act(it, each, side(which), about, seed);
      }
    });
  };
  return {
    act,
    undo: async ({ key, undo }, uncertain) => {
      if (key === archiveKey || undo.verb !== 'remove') return patiently(() => act(key, undo.verb, undo.with), patience);
      return removeForSure(bench.backends, resource(key, undo.with), side(undo.with), job, uncertain, patience);
    },
    settle: () => patiently(async () => settle(bench, facts, change, job), patience),
    tell: (end) =>
      patiently(
        () => bench.audit({ who: by, what: `project ${wordsOf(change)}`, to: projectOf(change), job, result: resultOf(end) }),
        // what was taken back, on a full disk for instance, keeps nobody waiting: it is told later
        end.result === 'done' ? patience : 0,
      ),
    ...(onStep === undefined ? {} : { onStep }),
  };
}

function resultOf(end: Outcome): string {
  return end.result === 'done' ? 'done' : `${end.result}: ${end.error.message}`;
}

/** The moment from which the project is as it shall be, for everybody. Can be done again. */
function settle(bench: Bench, facts: FactsOf, change: Change, job: string): void {
  if (change.kind === 'delete') {
    bench.deleted.keep(job, change.before, change.accounts ?? {});
    bench.specifications.drop(change.before.name);
    bench.facts.withdraw(change.before.name);
  } else {
    bench.specifications.keep(change.after);
    bench.facts.publish(facts(change.after));
  }
  if (change.kind === 'undelete') bench.deleted.drop(change.from);
  if (change.kind === 'rename') {
    bench.specifications.drop(change.before.name);
    bench.facts.withdraw(change.before.name);
  }
  bench.formerNames.publish(bench.specifications.all());
}
