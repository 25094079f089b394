import { randomUUID } from 'node:crypto';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';

/** Lets jobs run side by side, or none of them: while somebody holds, those that come wait. */
export interface Hold {
  readonly during: <T>(job: () => Promise<T>) => Promise<T>;
  /**
   * Waits until no job runs, and keeps it so until `release`, or for `seconds` when whoever asked does not come back.
   * @throws UserError (exit 7) when somebody else holds or jobs don't end within `patience` seconds.
   */
  readonly take: (seconds: number, patience: number) => Promise<string>;
  /** Holds for `seconds` from now on, and says whether it was held until now by this one. */
  readonly renew: (hold: string, seconds: number) => boolean;
  /** Whether it was held until now by this one. */
  readonly release: (hold: string) => boolean;
}

/** A hold in memory: with the daemon gone there is no job either. */
export function makeHold(): Hold {
  let inside = 0;
  let held: { readonly id: string; readonly timer: NodeJS.Timeout } | undefined;
  let taking = false;
  const waiting: (() => void)[] = [];
  let onIdle: (() => void) | undefined;

  const open = (): void => {
    taking = false;
    if (held !== undefined) clearTimeout(held.timer);
    held = undefined;
    for (const go of waiting.splice(0)) go();
  };
  const idle = (patience: number): Promise<boolean> =>
    new Promise((resolve) => {
      if (inside === 0) return resolve(true);
      const end = (isIdle: boolean): void => {
        clearTimeout(timer);
        onIdle = undefined;
        resolve(isIdle);
      };
      const timer = setTimeout(() => end(false), patience * 1000);
      onIdle = () => end(true);
    });

  return {
    during: async (job) => {
      while (taking) await new Promise<void>((resolve) => waiting.push(resolve));
      inside += 1;
      try {
        return await job();
      } finally {
        inside -= 1;
        if (inside === 0) onIdle?.();
      }
    },
    take: async (seconds, patience) => {
      if (taking) throw new UserError('a backup is being made already', { exitCode: exitCodes.busy });
      taking = true;
      if (!(await idle(patience))) {
        open();
        throw new UserError(`jobs did not end within ${patience} s`, {
          exitCode: exitCodes.busy,
          hint: 'devserver job list shows them',
        });
      }
      const id = randomUUID();
      held = { id, timer: setTimeout(open, seconds * 1000) };
      return id;
    },
    renew: (hold, seconds) => {
      if (held?.id !== hold) return false;
      clearTimeout(held.timer);
      held = { id: hold, timer: setTimeout(open, seconds * 1000) };
      return true;
    },
    release: (hold) => {
      if (held?.id !== hold) return false;
      open();
      return true;
    },
  };
}
