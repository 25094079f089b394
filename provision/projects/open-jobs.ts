import { exitCodes, UserError } from '../../src/kernel/errors.ts';

/**
 * Jobs that began and are not ended, by project. What such a job still has to do is about the project as it was: with
 * anything new in its place it would undo, or bring back, what is not its own.
 */
export interface OpenJobs {
  readonly add: (job: string, project: string) => void;
  readonly drop: (job: string) => void;
  readonly has: (project: string) => boolean;
  /** @throws UserError (exit 7) when the project has one. */
  readonly refuse: (project: string) => void;
}

/** Opens an empty register. */
export function openJobs(): OpenJobs {
  const projects = new Map<string, string>();
  return {
    add: (job, project) => void projects.set(job, project),
    drop: (job) => void projects.delete(job),
    has: (project) => [...projects.values()].includes(project),
    refuse: (project) => {
      const [job] = [...projects].find(([, name]) => name === project) ?? [];
      if (job === undefined) return;
      throw new UserError(`an earlier change of ${project} is not ended yet: job ${job}`, {
        hint: `devserver job show ${job} tells what it waits for; then: devserver job resume`,
        exitCode: exitCodes.busy,
      });
    },
  };
}
