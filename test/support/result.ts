import type { Output } from '../../src/terminal/output.ts';

/** What a command gave as its result, for people and as JSON. */
export interface GivenResult {
  readonly lines: readonly string[];
  readonly value: unknown;
}

/** Runs a command with an output of its own and returns its one result. */
export function resultOf(work: (output: Output) => void): GivenResult {
  const given: GivenResult[] = [];
  work({
    json: false,
    report: () => {},
    // as --json prints it: what is undefined is not there
    result: (text, value) => given.push({ lines: text.split('\n'), value: JSON.parse(JSON.stringify(value)) }),
  });
  const [first, ...others] = given;
  if (first === undefined || others.length > 0) throw new Error(`there are ${given.length} results`);
  return first;
}
