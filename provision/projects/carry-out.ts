import { UserError } from '../../src/kernel/errors.ts';
import type { Journal, JournalRecord, TimedRecord } from './journal.ts';
import type { ChangePlan, Step, Verb } from './plan.ts';

/** Carries out one verb on one resource or the archive; throws when it did not happen for sure or may have happened. */
export type Act = (key: string, verb: Verb, which: 'before' | 'after') => Promise<void>;

export interface Carrier {
  readonly act: Act;
  /**
   * Takes a step back although its act may still be under way in a backend: repeats until it is known to be gone.
   * `uncertain`: the act was given up waiting for, or a crash lies between.
   */
  readonly undo: (step: Step, uncertain: boolean) => Promise<void>;
  /** What is done at the commit and may be done again: specification and facts. */
  readonly settle: () => Promise<void>;
  /** Tells the audit log how it ended, before the journal is closed: a crash in between tells it twice, never not at all. */
  readonly tell: (end: Outcome) => Promise<void>;
  /** Told before each act, for progress. */
  readonly onStep?: (index: number, step: Step, state: 'doing' | 'done' | 'undoing' | 'undone') => void;
}

/** How a change ended. */
export type Outcome =
  | { readonly result: 'done' }
  | { readonly result: 'undone'; readonly error: Error }
  /** Some things could not be taken back, or, once it is committed, not be cleaned up; they are named. */
  | { readonly result: 'left'; readonly error: Error; readonly left: readonly string[]; readonly committed: boolean };

/** Where a journal stands when a job is taken up again. */
export interface Progress {
  readonly committed: boolean;
  readonly ended: boolean;
  /** Steps begun and not taken back, in order. */
  readonly open: readonly number[];
  /** Steps known to be done. */
  readonly done: ReadonlySet<number>;
  /** The first error, if it came to that. */
  readonly error: Error | undefined;
}

/** Carries out a plan from the start: every step, the commit, what comes after it; or takes all of it back. */
export async function carryOut(plan: ChangePlan, journal: Journal, carrier: Carrier): Promise<Outcome> {
  const open: number[] = [];
  const done = new Set<number>();
  try {
    for (const [index, step] of plan.steps.entries()) {
      journal.write({ is: 'doing', step: index });
      open.push(index);
      carrier.onStep?.(index, step, 'doing');
      await carrier.act(step.key, step.verb, step.with);
      done.add(index);
      journal.write({ is: 'done', step: index });
      carrier.onStep?.(index, step, 'done');
    }
    journal.write({ is: 'commit' });
  } catch (error) {
    return rollBack(plan, journal, carrier, open, asError(error), done);
  }
  return rollForward(plan, journal, carrier);
}

/** Takes a job up again after a crash: forward from the commit on, else back. */
export async function takeUp(plan: ChangePlan, progress: Progress, journal: Journal, carrier: Carrier): Promise<Outcome> {
  if (progress.committed) return rollForward(plan, journal, carrier);
  const error = progress.error ?? new UserError('the daemon was stopped in the middle; everything was taken back');
  return rollBack(plan, journal, carrier, progress.open, error, progress.done);
}

/** What a journal says about how far a job got. */
export function progressOf(records: readonly TimedRecord[]): Progress {
  const steps = (is: TimedRecord['is']): number[] => records.flatMap((it) => (it.is === is && 'step' in it ? [it.step] : []));
  const undone = new Set(steps('undone'));
  const first = records.find((it) => it.is === 'error');
  return {
    committed: records.some(({ is }) => is === 'commit'),
    ended: records.some(({ is }) => is === 'end'),
    open: steps('doing').filter((step) => !undone.has(step)),
    done: new Set(steps('done')),
    error: first?.is === 'error' ? new UserError(first.message, first.hint === undefined ? {} : { hint: first.hint }) : undefined,
  };
}

/** What comes after the commit may fail for now: the job stays open and is taken up again. */
async function rollForward(plan: ChangePlan, journal: Journal, carrier: Carrier): Promise<Outcome> {
  let part = 'the specification';
  try {
    await carrier.settle();
    for (const { key, verb } of plan.afterwards) {
      part = `${key} ${verb}`;
      await carrier.act(key, verb, plan.change.kind === 'delete' ? 'before' : 'after');
    }
    part = 'its end';
    await carrier.tell({ result: 'done' });
    journal.write({ is: 'end', result: 'done', left: [] });
    return { result: 'done' };
  } catch (failure) {
    const error = asError(failure);
    return { result: 'left', error, left: [`${part}: ${error.message}`], committed: true };
  }
}

/**
 * Backwards over all that was begun; a failing undo neither stops the others nor hides the first error. A journal that
 * can't be written to any more, on a full disk, stops nothing either: what it does not know is taken back once more later.
 */
async function rollBack(
  { steps }: ChangePlan,
  journal: Journal,
  carrier: Carrier,
  open: readonly number[],
  error: Error,
  done: ReadonlySet<number>,
): Promise<Outcome> {
  const write = (line: JournalRecord): void => {
    try {
      journal.write(line);
    } catch (failure) {
      console.error(`the journal can't be written: ${asError(failure).message}`);
    }
  };
  const hint = error instanceof UserError ? error.hint : undefined;
  write({ is: 'error', message: error.message, ...(hint === undefined ? {} : { hint }) });
  const left: string[] = [];
  for (const index of [...open].reverse()) {
    const step = steps[index];
    if (step === undefined) continue;
    write({ is: 'undoing', step: index });
    carrier.onStep?.(index, step, 'undoing');
    try {
      await carrier.undo(step, !done.has(index));
      write({ is: 'undone', step: index });
      carrier.onStep?.(index, step, 'undone');
    } catch (failure) {
      write({ is: 'stuck', step: index, message: asError(failure).message });
      left.push(`${step.key}: ${asError(failure).message}`);
    }
  }
  const end: Outcome = left.length > 0 ? { result: 'left', error, left, committed: false } : { result: 'undone', error };
  try {
    await carrier.tell(end);
    write({ is: 'end', result: end.result, left });
  } catch (failure) {
    // not closed: it is taken up once more, with nothing left to do but this
    console.error(`the end of a job is not in the audit log: ${asError(failure).message}`);
  }
  return end;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
