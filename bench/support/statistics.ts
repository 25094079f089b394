/** Several measurements of one thing, in seconds. */
export interface Spread {
  readonly runs: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Minimum, median (of an even number the mean of the two in the middle) and maximum, to the millisecond. @throws Error when nothing was measured. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const rounded = (value: number): number => Math.round(value * 1000) / 1000;
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  if (sorted.length === 0) throw new Error('nothing was measured');
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  return { runs: sorted.length, min: rounded(at(0)), median: rounded(median), max: rounded(at(sorted.length - 1)) };
}

/** Runs `work` and returns the seconds it took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}
