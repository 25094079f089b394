import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { type Command, lastLines } from '../kernel/system.ts';
import { killGroup } from './process.ts';

export interface Launched {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it wrote to the log so far. */
  readonly log: () => string;
}

/** Starts a program that outlives this one, in a session of its own, with a fresh log for its output. */
export async function launch(command: Command, logFile: string, folder: string): Promise<Launched> {
  const log = openSync(logFile, 'w', 0o600);
  try {
    const child = spawn(command.file, [...command.args], {
      detached: true,
      cwd: folder,
      env: { ...process.env, ...command.env },
      stdio: ['pipe', log, log],
    });
    // A program that ended reads nothing more: its own log says why, not this pipe.
    child.stdin?.on('error', () => {});
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => reject(notStarted(command, cause)));
    });
    return { child, pid: child.pid ?? 0, log: () => readFileSync(logFile, 'utf8') };
  } finally {
    closeSync(log);
  }
}

/**
 * Waits until `check` gives a value. When the program ends first, the time is over or the user
 * interrupts, the program is killed and waited for, and the error carries the end of its log.
 */
export async function waitUntilUp<T>(
  launched: Launched,
  what: string,
  milliseconds: number,
  signal: AbortSignal | undefined,
  check: () => Promise<T | undefined>,
): Promise<T> {
  const until = performance.now() + milliseconds;
  const { child } = launched;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const value = await unlessAborted(check(), signal);
      if (value !== undefined) return value;
      if (child.exitCode !== null || child.signalCode !== null) throw died(launched, `${what} ended at once`);
      if (performance.now() > until) throw died(launched, `${what} is not up after ${milliseconds / 1000} s`);
      await sleep(30, undefined, signal === undefined ? {} : { signal });
    }
  } catch (error) {
    await kill(launched);
    throw error;
  }
}

/** The value, or at once the signal's reason: a program that hangs would not answer the question at all. */
async function unlessAborted<T>(value: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return value;
  let stop = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([value, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
    value.catch(() => {});
  }
}

/** Lets go of the program, so that this process may end while the other goes on. */
export function release(launched: Launched): void {
  launched.child.stdin?.end('released\n');
  launched.child.unref();
}

/** A user's error about a program that did not come up. */
export function died(launched: Launched, message: string): UserError {
  return new UserError(message, {
    hint: 'the lines above come from machine/machine.log in the folder of the machine',
    details: [`$ ${launched.child.spawnfile} …`, ...lastLines(launched.log(), 12)],
  });
}

function notStarted(command: Command, cause: Error): UserError {
  return new UserError(`${command.file} could not be started: ${cause.message}`, {
    hint: 'create-devserver check lists what this machine lacks',
    exitCode: exitCodes.machineLacks,
    cause,
  });
}

async function kill(launched: Launched): Promise<void> {
  // It leads a group of its own; what it runs at this moment ends with it.
  await killGroup(launched.pid, 10_000);
}
