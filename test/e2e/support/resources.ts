import { setTimeout as sleep } from 'node:timers/promises';
import type { ProjectFacts } from '../../../src/kernel/project.ts';
import type { Session } from './session.ts';

/** One resource of one component, asked by one job. */
export interface Subject {
  readonly component: string;
  readonly resource: string;
  readonly project: ProjectFacts;
  readonly job: string;
}

/** What the daemon will publish of a project; `changes` over the usual. */
export function factsOf(name: string, changes: Partial<ProjectFacts> = {}): ProjectFacts {
  return {
    ...{ version: 1, name, formerly: [], title: name, description: '', vcs: 'git', visibility: 'private', archived: false },
    ...{ template: 'empty', maven: true, ci: true, protectBranch: true, members: {} },
    ...{ created: '2026-01-01T00:00:00Z', by: 'admin', links: {}, branch: 'main', build: null },
    ...changes,
  };
}

/** Asks a driver for a verb. */
export function ask(session: Session, verb: string, { component, ...args }: Subject): Promise<unknown> {
  return session.driver(component, verb, args);
}

/** Asks, and kills the driver after some time; what was answered doesn't matter. */
export async function askAndKill(session: Session, verb: string, subject: Subject, milliseconds: number): Promise<void> {
  const answer = ask(session, verb, subject).catch(() => undefined);
  await sleep(milliseconds);
  await killDriver(session, subject.component, answer);
}

/** Kills a component's driver, in the middle of whatever it does, and lets `meanwhile` end; the next request starts it again. */
export async function killDriver(session: Session, component: string, meanwhile: Promise<unknown>): Promise<void> {
  const unit = `devserver-driver-${component}`;
  await session.tryRun(['systemctl', 'kill', '--signal', 'KILL', `${unit}.service`]);
  await meanwhile;
  // a test kills more often than systemd thinks a program may fail
  await session.tryRun(['systemctl', 'reset-failed', `${unit}.service`, `${unit}.socket`]);
  await session.run(['systemctl', 'start', `${unit}.socket`]);
}

/** Takes a resource back as the daemon does: remove and read, until it stays absent for `settle` seconds. */
export async function undo(session: Session, subject: Subject, settle: number): Promise<void> {
  let absentSince = Number.NaN;
  for (const begun = performance.now(); performance.now() - begun < 200_000; await sleep(250)) {
    const read = (await ask(session, 'read', subject)) as { present: boolean };
    if (read.present || Number.isNaN(absentSince)) await ask(session, 'remove', subject);
    if (read.present) absentSince = Number.NaN;
    else if (Number.isNaN(absentSince)) absentSince = performance.now();
    else if (performance.now() - absentSince > settle * 1000) return;
  }
  throw new Error(`${subject.component}.${subject.resource} does not stay absent`);
}
