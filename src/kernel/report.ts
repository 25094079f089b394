/** What a running command tells; every renderer shows the same events. */
export type ReportEvent =
  | { readonly type: 'stage'; readonly name: string; readonly state: 'start' }
  | {
      readonly type: 'stage';
      readonly name: string;
      readonly state: 'done';
      /** Wall seconds. */
      readonly seconds: number;
      /** Bytes of what the stage made. */
      readonly bytes?: number;
      /** The result came from the cache. */
      readonly cached?: boolean;
    }
  | { readonly type: 'stage'; readonly name: string; readonly state: 'failed'; readonly seconds: number }
  | {
      readonly type: 'progress';
      readonly name: string;
      /** 0 to 1, when known. */
      readonly fraction?: number;
      readonly text?: string;
    }
  | { readonly type: 'note' | 'warning'; readonly text: string }
  | { readonly type: 'log'; readonly text: string };

export type Report = (event: ReportEvent) => void;

/** What a stage made, for its closing line. */
export interface StageOutcome {
  readonly bytes?: number;
  readonly cached?: boolean;
}

/**
 * Runs `work` as a named stage: start, done with wall seconds, or failed.
 * `work` returns its value and, when it has any, the outcome to show.
 */
export async function stage<T>(
  report: Report,
  name: string,
  work: () => Promise<{ value: T; outcome?: StageOutcome }>,
): Promise<T> {
  const begun = performance.now();
  const seconds = () => Math.round(performance.now() - begun) / 1000;
  report({ type: 'stage', name, state: 'start' });
  try {
    const { value, outcome } = await work();
    report({ type: 'stage', name, state: 'done', seconds: seconds(), ...outcome });
    return value;
  } catch (error) {
    report({ type: 'stage', name, state: 'failed', seconds: seconds() });
    throw error;
  }
}
