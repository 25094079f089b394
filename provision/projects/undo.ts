import { setTimeout as sleep } from 'node:timers/promises';
import type { ProjectFacts } from '../../src/kernel/project.ts';
import type { Backends } from './backends.ts';
import type { Resource } from './resources.ts';

/**
 * Removes a resource whose making was given up or cut short: a backend may still be at it. Removes and reads until it has
 * been absent for the resource's `settle` seconds. A backend that is down is tried again for a while, since it may only be
 * starting. @throws the last refusal.
 */
export async function removeForSure(
  backends: Backends,
  resource: Resource,
  facts: ProjectFacts,
  job: string,
  uncertain: boolean,
  patience: number,
): Promise<void> {
  await patiently(() => backends.act(resource, 'remove', facts, job), patience);
  if (!uncertain) return;
  const until = Date.now() + resource.settle * 1000;
  while (Date.now() < until) {
    await sleep(Math.min(500, resource.settle * 1000));
    const { present } = await patiently(() => backends.read(resource, facts, job), patience);
    if (present) await patiently(() => backends.act(resource, 'remove', facts, job), patience);
  }
}

/** Tries for so many milliseconds, at growing distances. */
export async function patiently<T>(work: () => Promise<T>, patience: number): Promise<T> {
  const until = Date.now() + patience;
  for (let wait = 250; ; wait = Math.min(wait * 2, 10_000)) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() + wait > until) throw error;
      await sleep(wait);
    }
  }
}
