import type { Office } from '../api/office.ts';
import { Refusal } from '../api/refusal.ts';
import { findByAnyName } from '../projects/former-names.ts';
import { requireDone } from '../projects/workshop.ts';

/** Makes somebody no member of a project any more, in the name of `by`. @throws UserError when they still are one. */
export async function takeOut(
  { bench, workshop }: Pick<Office, 'bench' | 'workshop'>,
  name: string,
  project: string,
  by: string,
): Promise<void> {
  try {
    const job = await workshop.start(project, by, async () => {
      const before = bench.specifications.find(project);
      if (before === undefined) throw new Refusal(409, `the project ${project} has just gone`);
      const { [name]: _gone, ...members } = before.members;
      return { change: { kind: 'update', before, after: { ...before, members } } };
    });
    requireDone(await job.outcome);
  } catch (error) {
    const now = findByAnyName(bench.specifications, project);
    // deleted meanwhile: what is kept of it knows its members by their accounts
    if (now === undefined || !Object.hasOwn(now.members, name)) return;
    if (now.name === project) throw error;
    await takeOut({ bench, workshop }, name, now.name, by);
  }
}
