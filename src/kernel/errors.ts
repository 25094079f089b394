import path from 'node:path';

/** Exit codes of every command; the same table stands in docs/exit-codes.md. */
export const exitCodes = {
  ok: 0,
  bug: 1,
  usage: 2,
  badData: 3,
  machineLacks: 4,
  failedUndone: 5,
  failedNotUndone: 6,
  busy: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An error the user can do something about: printed as two lines, never with a stack. */
export class UserError extends Error {
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
  /** Further lines, for instance the last lines a failed command printed. */
  readonly details: readonly string[];

  constructor(
    message: string,
    options: { hint?: string; exitCode?: ExitCode; details?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'UserError';
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? exitCodes.failedUndone;
    this.details = options.details ?? [];
  }
}

/** A path as people read it best: from where they are, unless that climbs. */
export function shownPath(file: string): string {
  const shown = path.relative(process.cwd(), file);
  return shown.startsWith('..') ? file : shown;
}

/** One fault in a data file: place, sentence, remedy. */
export interface Fault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** All faults of the data at once; exit 3. */
export class DataError extends UserError {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in the data`, {
      exitCode: exitCodes.badData,
      details: faults.map(formatFault),
    });
    this.name = 'DataError';
    this.faults = faults;
  }
}

/** `stacks/components/x/component.yaml:17:5: sentence` with the remedy behind it. */
export function formatFault(fault: Fault): string {
  const place = `${fault.file}:${fault.line}:${fault.column}`;
  return `${place}: ${fault.message}${fault.hint === undefined ? '' : ` (${fault.hint})`}`;
}
