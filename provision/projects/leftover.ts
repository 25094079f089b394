import type { ProjectFacts } from '../../src/kernel/project.ts';
import type { Finding } from '../api/schemas.ts';
import type { Bench } from './bench.ts';
import type { Resource } from './resources.ts';

/** A name for reads and repairs that belong to no change. */
export const doctorsJob = 'doctor-0';

/** Something of a project that may be there although nothing asks for it, and how it is looked at and removed. */
export interface Leftover {
  readonly key: string;
  readonly holds: Resource['holds'];
  /** Where data lies. */
  readonly place?: string;
  readonly isThere: () => Promise<boolean>;
  readonly remove: () => Promise<void>;
}

/** A declared resource that its project should not have. */
export function resourceLeft({ backends }: Bench, resource: Resource, facts: ProjectFacts): Leftover {
  const { key, holds, stash } = resource;
  return {
    key,
    holds,
    ...(stash === undefined ? {} : { place: stash.slice(0, stash.indexOf('/.stash/')) }),
    isThere: async () => (await backends.read(resource, facts, doctorsJob)).present,
    remove: () => backends.act(resource, 'remove', facts, doctorsJob),
  };
}

/** Published facts, which no component declares. */
export function factsLeft({ facts }: Bench, name: string): Leftover {
  return {
    key: 'facts',
    holds: 'derived',
    isThere: async () => facts.names().includes(name),
    remove: async () => facts.withdraw(name),
  };
}

/** Whether it is there; an error when it can't be told, though something has its name. */
export function look({ isThere }: Leftover): Promise<boolean | Error> {
  return isThere().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
}

/** What is to be said of it. `kept`: it is not to be removed while data of that name is there. */
export function leftoverFinding(
  { key, holds, place }: Leftover,
  { project, exists, kept, seen }: { project: string; exists: boolean; kept: boolean; seen: boolean | Error },
): Finding {
  const because = exists ? 'the project is not to have it' : `there is no project ${project}`;
  const text = `it is there, yet ${because}${seen instanceof Error ? ` (${seen.message})` : ''}`;
  const found = { project, resource: key, what: 'leftover' as const, text, repaired: false };
  if (holds === 'derived')
    return { ...found, hint: `devserver doctor --fix removes it${kept ? ' when the data of that name is gone' : ''}` };
  const lost = exists ? '' : "restore the project's specification from a backup, or ";
  return { ...found, hint: `look at what it holds; ${lost}delete what lies in ${place ?? 'its store'} by hand` };
}

/** Removes it, then looks again: only what is seen to be gone counts as repaired. */
export async function removed(leftover: Leftover, found: Finding): Promise<Finding> {
  try {
    await leftover.remove();
    return { ...found, repaired: !(await leftover.isThere()) };
  } catch (error) {
    return { ...found, text: `${found.text}; removing failed: ${error instanceof Error ? error.message : String(error)}` };
  }
}
