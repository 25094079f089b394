import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ProjectFacts } from '../../../src/kernel/project.ts';
import { archivaRest, hudsonCall } from './apps.ts';
import { ask, factsOf, type Subject } from './resources.ts';
import type { Session } from './session.ts';

let count = 0;

/** The three resources of a project nobody has seen before, as one job sees them. */
export function subjects(changes: Partial<ProjectFacts> = {}): Record<'job' | 'content' | 'repository', Subject> {
  count += 1;
  const own = `${Date.now().toString(36)}${count}`;
  const project = factsOf(`j${own}`, changes);
  const by = { project, job: `job-${own}` };
  return {
    job: { component: 'hudson', resource: 'job', ...by },
    content: { component: 'archiva', resource: 'content', ...by },
    repository: { component: 'archiva', resource: 'repository', ...by },
  };
}

/** Everything that begins with the name, in Hudson's own list and on the disk. */
export async function inHudson(session: Session, name: string): Promise<{ listed: string[]; disk: string[] }> {
  const { body } = await hudsonCall(session, 'GET', 'api/json?tree=jobs%5Bname%5D');
  const listed = (JSON.parse(body) as { jobs: { name: string }[] }).jobs.map((it) => it.name);
  return { listed: listed.filter((it) => it.startsWith(name)), disk: await below(session, '/srv/ci/hudson/jobs', name) };
}

/** The same in Archiva's list and on the disk. */
export async function inArchiva(session: Session, name: string): Promise<{ listed: string[]; disk: string[] }> {
  const path = 'archivaServices/managedRepositoriesService/getManagedRepositories';
  const listed = (JSON.parse((await archivaRest(session, 'GET', path)).body) as { id: string }[]).map(({ id }) => id);
  return { listed: listed.filter((it) => it.startsWith(name)), disk: await below(session, '/srv/maven/repositories', name) };
}

async function below(session: Session, folder: string, name: string): Promise<string[]> {
  return (await session.run(['ls', folder])).split('\n').filter((it) => it.startsWith(name));
}

/** Who has one of the two roles of a repository; it may be gone. */
export async function holders(session: Session, name: string): Promise<string[]> {
  const roles = [`Repository Observer - ${name}`, `Repository Manager - ${name}`];
  const lists = roles.map(async (role) => {
    const path = `redbackServices/roleManagementService/getRole/${encodeURIComponent(role)}`;
    const { status, body } = await archivaRest(session, 'GET', path);
    return status === 200 ? ((JSON.parse(body) as { users?: { username: string }[] }).users ?? []) : [];
  });
  return (await Promise.all(lists)).flat().map(({ username }) => username);
}

/** Asks for a verb, and asks again: the second time must be as good. */
export async function twice(session: Session, verb: string, subject: Subject): Promise<void> {
  await ask(session, verb, subject);
  await ask(session, verb, subject);
}

/** One commit, one build; its log. */
export async function build(session: Session, job: Subject): Promise<string> {
  const { name } = job.project;
  await session.driver('hudson', 'event', { type: 'commit', id: '1', project: job.project, user: 'ann', changes: [] });
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const { body } = await hudsonCall(session, 'GET', `job/${name}/1/api/json?tree=building,result`);
    if (/"result":"/.test(body) && body.includes('"building":false')) return logOf(session, name, 1);
    await sleep(200);
  }
  throw new Error('the build does not end');
}

/** A build's log. */
export async function logOf(session: Session, name: string, number: number): Promise<string> {
  const { status, body } = await hudsonCall(session, 'GET', `job/${name}/${number}/consoleText`);
  expect([status, body]).toEqual([200, expect.stringContaining('Finished: ')]);
  return body;
}

/** Both programs answer their drivers. */
export async function untilAnswers(session: Session): Promise<void> {
  const { job, repository } = subjects();
  for (let attempt = 0; ; attempt += 1) {
    try {
      for (const subject of [job, repository]) await ask(session, 'read', subject);
      return;
    } catch (error) {
      if (attempt > 600) throw error;
      await sleep(500);
    }
  }
}
