import type { Report } from '../kernel/report.ts';
import { liveReport } from './live.ts';
import { plainReport } from './plain.ts';

/** Where a command's result and its progress go. */
export interface Output {
  readonly report: Report;
  /** The result on standard output: text for people, or one JSON line of type result. */
  readonly result: (text: string, value: Readonly<Record<string, unknown>>) => void;
  readonly json: boolean;
}

/** Progress on standard error, the result on standard output; with --json both as NDJSON on standard output. */
export function makeOutput(options: { json: boolean; plain: boolean }): Output {
  if (options.json) {
    const line = (value: unknown): void => {
      process.stdout.write(`${JSON.stringify(value)}\n`);
    };
    return { report: line, result: (_text, value) => line({ type: 'result', ...value }), json: true };
  }
  const live = process.stderr.isTTY === true && !options.plain;
  const color = live && (process.env.NO_COLOR ?? '') === '';
  const report = live ? liveReport(process.stderr, color) : plainReport((line) => process.stderr.write(`${line}\n`));
  return { report, result: (text) => process.stdout.write(text.endsWith('\n') ? text : `${text}\n`), json: false };
}
