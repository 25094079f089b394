import { deferred } from './deferred.ts';
import type { Change } from './plan.ts';

/** Jobs from the first look at who is who until their end: what was seen then may become true only now. */
export interface UnderWay {
  /** Does work that tells, as soon as it is decided, what it will change. */
  readonly during: <T>(work: (decided: (change: Change) => void) => Promise<T>) => Promise<T>;
  /** Resolves once none of those that are under way now can make this person a member of anything any more. */
  readonly without: (user: string) => Promise<void>;
}

/** An empty register, in memory: nothing is under way in a daemon that is not there. */
export function makeUnderWay(): UnderWay {
  const all = new Set<{ readonly decision: Promise<Change | undefined>; readonly end: Promise<void> }>();
  return {
    during: async (work) => {
      const [decision, end] = [deferred<Change | undefined>(), deferred<void>()];
      const entry = { decision: decision.promise, end: end.promise };
      all.add(entry);
      try {
        return await work(decision.resolve);
      } finally {
        decision.resolve(undefined);
        end.resolve();
        all.delete(entry);
      }
    },
    without: async (user) => {
      const waits = [...all].map(async ({ decision, end }) => {
        const change = await decision;
        if (change !== undefined && bringsIn(change, user)) await end;
      });
      await Promise.all(waits);
    },
  };
}

/** Whether this person is a member of a project as a change leaves it. Pure. */
export function bringsIn(change: Change, user: string): boolean {
  return 'after' in change && Object.hasOwn(change.after.members, user);
}
