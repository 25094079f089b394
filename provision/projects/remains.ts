import { UserError } from '../../src/kernel/errors.ts';
import type { ProjectFacts } from '../../src/kernel/project.ts';
import type { Bench } from './bench.ts';
import type { FactsOf } from './carrier.ts';
import type { Change } from './plan.ts';
import { type Resource, resourcesOf } from './resources.ts';

/** That what is there lets a change begin: its place is free, and what it moves is whole. @throws UserError */
export async function requirePossible(bench: Bench, facts: FactsOf, change: Change, job: string): Promise<void> {
  if (change.kind === 'rename') await requireWhole(bench, facts(change.before), job);
  if (change.kind === 'create' || change.kind === 'restore' || change.kind === 'rename')
    await refuseRemains(bench, facts(change.after), job);
}

/** Something of that name from elsewhere would be mixed up with the project, and lost if the job is taken back. */
async function refuseRemains(bench: Bench, facts: ProjectFacts, job: string): Promise<void> {
  const resources = resourcesOf(bench.catalogue, facts);
  const seen = await Promise.allSettled(resources.map((it) => bench.backends.read(it, facts, job)));
  // without the directory every other backend fails too, for reasons that mislead
  const failed = (of: (resource: Resource) => boolean): PromiseRejectedResult | undefined =>
    seen.filter((_, index) => of(resources[index] as Resource)).find((it) => it.status === 'rejected');
  const first = failed(({ kind }) => kind !== 'driver') ?? failed(() => true);
  if (first !== undefined) throw first.reason;
  const there = resources.filter((_, index) => {
    const it = seen[index];
    return it?.status === 'fulfilled' && it.value.present;
  });
  if (there.length === 0) return;
  throw new UserError(
    `there is no project ${facts.name}, yet something of that name: ${there.map(({ key }) => key).join(', ')}`,
    {
      hint: 'take another name, or have them removed by hand',
    },
  );
}

/** Data that lacks something could be moved, and then neither be made to fit nor be put back. */
async function requireWhole(bench: Bench, facts: ProjectFacts, job: string): Promise<void> {
  const data = resourcesOf(bench.catalogue, facts).filter(({ holds }) => holds === 'data');
  const seen = await Promise.all(data.map((it) => bench.backends.read(it, facts, job)));
  const broken = data.filter((_, index) => seen[index]?.present !== true || seen[index]?.lacks !== undefined);
  if (broken.length === 0) return;
  throw new UserError(`what people made in ${facts.name} is not whole: ${broken.map(({ key }) => key).join(', ')}`, {
    hint: 'devserver doctor tells what is missing; restore it from a backup first',
  });
}
