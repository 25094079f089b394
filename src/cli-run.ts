import { CommanderError } from 'commander';
import { program } from './cli-program.ts';
import { diskFull, isDiskFull } from './kernel/disk-full.ts';
import { DataError, exitCodes, UserError } from './kernel/errors.ts';
import { refusedPath } from './kernel/system-error.ts';
import { asCalled } from './terminal/called-as.ts';
import { visible } from './terminal/visible.ts';

/** Nobody takes the output any more: told at once, so that a command which ends by it has nothing to add. */
export class OutputGone extends UserError {}

/** What a run of the generator is given besides its arguments. */
export interface Surroundings {
  /** Aborts when the run shall end, with the reason. */
  readonly signal: AbortSignal;
  /** The generator's own folder. */
  readonly root: string;
}

/**
 * Carries out one command line; the only catch of the generator. What failed is told on standard error, and with --json on
 * standard output too.
 * @returns the exit code of what failed; undefined when nothing did, and the command itself has said how the process ends.
 */
export async function runCli(args: readonly string[], { signal, root }: Surroundings): Promise<number | undefined> {
  try {
    await program(signal, root, args[0]).parseAsync([...args], { from: 'user' });
    return undefined;
  } catch (error) {
    // Ctrl-C ends helpers of ours too; their end may be noticed a moment before the signal itself
    if (!signal.aborted && mayBeInterrupted(error, signal)) await new Promise((resolve) => setTimeout(resolve, 100));
    return fail(error, args, signal);
  }
}

function fail(thrown: unknown, args: readonly string[], signal: AbortSignal): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  const { message, hint, details, exitCode, said } = failureOf(thrown, signal);
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ type: 'error', message, hint, details, exitCode })}\n`);
  process.stderr.write([...said, ...(hint === undefined ? [] : [hint])].map((line) => `${visible(line)}\n`).join(''));
  return exitCode;
}

interface Failure {
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly exitCode: number;
  /** The lines for people, but for the hint. */
  readonly said: readonly string[];
}

/** Whether an error may be no more than a helper's end by Ctrl-C: everything was undone, and nothing else is wrong. */
function mayBeInterrupted(error: unknown, { reason }: AbortSignal): boolean {
  if (error instanceof CommanderError) return false;
  if (!(error instanceof UserError)) return true;
  return error.exitCode === exitCodes.failedUndone || (reason instanceof OutputGone && error.exitCode === exitCodes.interrupted);
}

function failureOf(thrown: unknown, signal: AbortSignal): Failure {
  const isInterrupted = signal.aborted && mayBeInterrupted(thrown, signal);
  const error = isInterrupted ? signal.reason : withDiskFull(thrown);
  const known = error instanceof UserError ? error : refusedPath(error);
  const headed = (message: string): string => `create-devserver: ${message}`;
  if (known !== undefined) {
    const { message, details, exitCode } = known;
    if (known instanceof OutputGone) return { message, hint: undefined, details, exitCode, said: [] };
    const said = known instanceof DataError ? details : [...details.map((detail) => `  ${detail}`), headed(message)];
    return { message, hint: known.hint === undefined ? undefined : asCalled(known.hint), details, exitCode, said };
  }
  const told = { hint: undefined, details: [] };
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '');
    return { ...told, message, exitCode: exitCodes.usage, said: headed(message).split('\n') };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = 'this is a bug of ours, please report it';
  return { ...told, message, details: stack.split('\n'), exitCode: exitCodes.bug, said: [headed(message), ...stack.split('\n')] };
}

/** A disk that filled up under whatever we did, as that; a build says so itself, with its stage. */
function withDiskFull(error: unknown): unknown {
  const isTold = error instanceof UserError && error.exitCode !== exitCodes.failedUndone;
  return error instanceof Error && isDiskFull(error) && !isTold ? diskFull(error, error.message) : error;
}
