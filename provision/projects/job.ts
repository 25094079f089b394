import { randomBytes } from 'node:crypto';
import type { Outcome } from './carry-out.ts';
import type { Change, ChangePlan, Verb } from './plan.ts';
import type { ProjectSeed } from './seed.ts';

/** What a job tells while it runs. */
export type JobEvent =
  | { readonly type: 'job'; readonly job: string; readonly steps: number }
  | {
      readonly type: 'step';
      readonly index: number;
      readonly count: number;
      readonly key: string;
      readonly verb: Verb;
      readonly state: 'doing' | 'done' | 'undoing' | 'undone';
      /** Seconds since the job began. */
      readonly seconds: number;
    };

/** What a job shall do, decided when its turn has come. */
export interface Prepared {
  readonly change: Change;
  readonly seed?: ProjectSeed;
  /** Members that could not be kept, to be told with the result. */
  readonly dropped?: readonly string[];
}

/** A job under way. */
export interface Job {
  readonly id: string;
  readonly plan: ChangePlan;
  readonly events: () => AsyncGenerator<JobEvent>;
  readonly outcome: Promise<Outcome>;
}

/** A new job's name: sorts by time, to the millisecond. */
export function newJobName(now: Date): string {
  const time = now
    .toISOString()
    .replaceAll(/[-:.Z]/g, '')
    .toLowerCase();
  return `${time}-${randomBytes(4).toString('hex')}`;
}
