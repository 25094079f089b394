import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import type { Api } from '../../src/kernel/client/api.ts';
import type { Finding } from '../api/schemas.ts';
import { askStatus } from '../daemon/ask-status.ts';
import type { RestoreRecord } from './record.ts';

/** Minutes until every component must be ready. */
const patience = 15;

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
  const end = performance.now() + patience * 60_000;
  let last = '';
  for (;;) {
    const wrong = await notReady();
    if (wrong.length === 0 || performance.now() > end) return wrong;
    if (wrong.join('; ') !== last) tell(`waiting: ${wrong.join('; ')}`);
    last = wrong.join('; ');
    await sleep(1000);
  }
}

async function notReady(): Promise<string[]> {
  try {
    const { components } = await askStatus();
    return components
      .filter(({ state }) => state !== 'ready')
      .map(({ title, state, reason }) => `${title} is ${state}${reason === undefined ? '' : `: ${reason}`}`);
  } catch (error) {
    return [`the daemon does not answer: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** The front lets people in again. */
export function openGate(): void {
  rmSync(appliancePaths.restoring, { force: true });
}
