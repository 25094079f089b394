import { projectNamePattern } from '../appliance.ts';
import { DriverError, resourceVerbs, type Verb } from '../driver-kit.ts';
import type { EventArgs } from '../project.ts';
import { type Jobs, jobResource } from './job.ts';

/** All verbs of the driver of a CI server: one resource `job` per project, and builds that commits start. */
export function jobVerbs(jobs: Jobs): Readonly<Record<string, Verb>> {
  const { ping, startBuild } = jobs.server;
  return {
    bootstrap: ping,
    ping,
    /** A commit starts a build; commits while one waits in the queue are built together. */
    event: async (given) => {
      const { type, project } = given as EventArgs;
      if (!wholeName.test(project?.name)) throw new DriverError('an event without a project');
      if (type === 'commit' && !project.archived) await startBuild(project.name);
    },
    ...resourceVerbs({ job: jobResource(jobs) }),
  };
}

const wholeName = new RegExp(`^${projectNamePattern}$`);
