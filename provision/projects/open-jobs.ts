import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { type Change, projectsOf } from './plan.ts';
import { bringsIn } from './under-way.ts';

/**
 * Jobs that began and are not ended, by project. What such a job still has to do is about the project as it was: with
 * anything new in its place it would undo, or bring back, what is not its own.
 */
export interface OpenJobs {
  readonly add: (job: string, change: Change) => void;
  readonly drop: (job: string) => void;
  readonly has: (project: string) => boolean;
  /** Which job each of these projects waits for. */
  readonly all: () => readonly { readonly project: string; readonly job: string }[];
  /** @throws UserError (exit 7) when the project has one. */
  readonly refuse: (project: string) => void;
  /** @throws UserError (exit 7) when one of them may still make this person a member of something. */
  readonly refusePerson: (user: string) => void;
}

/** Opens an empty register. */
export function openJobs(): OpenJobs {
  const changes = new Map<string, Change>();
  /** `about`: as whoever asks knows it; the other name of the project may be none of their business. */
  const refuse = (of: (change: Change) => boolean, about: string): void => {
    const job = [...changes].find(([, it]) => of(it))?.[0];
    if (job === undefined) return;
    throw new UserError(`an earlier change of ${about} is not ended yet: job ${job}`, {
      hint: `devserver job show ${job} tells what it waits for; then: devserver job resume`,
      exitCode: exitCodes.busy,
    });
  };
  return {
    add: (job, change) => void changes.set(job, change),
    drop: (job) => void changes.delete(job),
    all: () => [...changes].flatMap(([job, change]) => projectsOf(change).map((project) => ({ project, job }))),
    has: (project) => [...changes.values()].some((it) => projectsOf(it).includes(project)),
    refuse: (project) => refuse((change) => projectsOf(change).includes(project), project),
    refusePerson: (user) => refuse((change) => bringsIn(change, user), `a project with ${user}`),
  };
}
