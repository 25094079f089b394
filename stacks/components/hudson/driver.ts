import { projectNamePattern } from '../../../src/kernel/appliance.ts';
import { DriverError, resourceVerbs, serveDriver } from '../../../src/kernel/driver-kit.ts';
import type { EventArgs } from '../../../src/kernel/project.ts';
import { startBuild } from './backend.ts';
import { job } from './job.ts';
import { must } from './rest.ts';

/** Hudson is up, knows the directory and takes the driver for what it is. */
async function ping(): Promise<void> {
  await must('GET', 'api/json?tree=nodeName');
}

/** A commit starts a build; commits while one waits in the queue are built together. */
async function event(given: unknown): Promise<void> {
  const { type, project } = given as EventArgs;
  if (!wholeName.test(project?.name)) throw new DriverError('an event without a project');
  if (type === 'commit' && !project.archived) await startBuild(project.name);
}

const wholeName = new RegExp(`^${projectNamePattern}$`);

serveDriver({ bootstrap: ping, ping, event, ...resourceVerbs({ job }) });
