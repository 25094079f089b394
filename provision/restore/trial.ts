import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import type { Api } from '../../src/kernel/client/api.ts';
import type { Finding } from '../api/schemas.ts';
import { askStatus } from '../daemon/ask-status.ts';
import type { RestoreRecord } from './record.ts';

/** Minutes until every component must be ready; more of them while all that is not says that it is starting: a slow machine. */
const patience = { atMost: 15, whileStarting: 60 };

/** Whether so many minutes are enough, of which so many since everything that is not ready was starting. */
export function isPatienceOver(minutes: number, sinceStarting: number): boolean {
  return minutes > patience.whileStarting || sinceStarting > patience.atMost;
}

/**
 * What keeps restored data from staying; none: it stays. Makes anew what is derived.
 */
export async function tryRestored(
  api: Api,
  { empty, projects }: Pick<RestoreRecord, 'empty' | 'projects'>,
  tell: (text: string) => void,
): Promise<string[]> {
  const wrong = await untilReady(tell);
  if (wrong.length > 0) return wrong;
  const there = new Set((await api.get<{ name: string }[]>('/projects')).map(({ name }) => name));
  const missing = projects.filter((name) => !there.has(name));
  if (missing.length > 0) return missing.map((name) => `${name} is missing`);
  await api.send<Finding[]>('POST', '/doctor/fix');
  // what was repaired may hold what could not be looked at before
  const left = await api.get<Finding[]>('/doctor');
  const isOld = ({ project, resource, what }: Finding): boolean =>
    what === 'leftover' || (what === 'missing-data' && empty.includes(`${project} ${resource.split('.', 1)[0] ?? ''}`));
  return left.filter((it) => !isOld(it)).map(({ project, resource, text }) => `${project} ${resource}: ${text}`);
}

async function untilReady(tell: (text: string) => void): Promise<string[]> {
  const begun = performance.now();
  let starting = begun;
  let last = '';
  for (;;) {
    const left = await notReady();
    const wrong = left.map(({ text }) => text);
    const now = performance.now();
    if (left.every(({ state }) => state === 'starting')) starting = now;
    if (wrong.length === 0 || isPatienceOver((now - begun) / 60_000, (now - starting) / 60_000)) return wrong;
    if (wrong.join('; ') !== last) tell(`waiting: ${wrong.join('; ')}`);
    last = wrong.join('; ');
    await sleep(1000);
  }
}

/** What is not ready, in words. */
async function notReady(): Promise<{ state: string; text: string }[]> {
  try {
    const { components } = await askStatus();
    return components
      .filter(({ state }) => state !== 'ready')
      .map(({ title, state, reason }) => ({ state, text: `${title} is ${state}${reason === undefined ? '' : `: ${reason}`}` }));
  } catch (error) {
    return [{ state: 'silent', text: `the daemon does not answer: ${error instanceof Error ? error.message : String(error)}` }];
  }
}

/** The front lets people in again. */
export function openGate(): void {
  rmSync(appliancePaths.restoring, { force: true });
}
