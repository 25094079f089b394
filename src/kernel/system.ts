import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { execa } from 'execa';
import { exitCodes, UserError } from './errors.ts';
import { smallProxyVariables } from './proxy.ts';

/** Writes something, a piece at a time. */
export type Feed = (write: (piece: Uint8Array) => Promise<void>) => Promise<void>;

/** A program to run, as a value. Arguments are a list; no shell ever sees them. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Merged over the inherited environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Text or bytes for standard input; without it standard input is empty. */
  readonly input?: string | Uint8Array;
  /**
   * Writes standard input while the program runs, a piece at a time; each waits until it was taken. What it throws ends the
   * program's input and is thrown in place of what the program says of that.
   */
  readonly feed?: Feed;
  /** Milliseconds after which the program is ended. */
  readonly timeout?: number;
  /** Ctrl-C at a terminal is for us to hear, and not for it: it cleans up, say. */
  readonly isApart?: boolean;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface RunOptions {
  /** Exit codes that are answers, not failures. Default: only 0. */
  readonly accept?: readonly number[] | 'any';
  /** Called for every line of standard output and error, as it comes. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** The one thing that touches the machine by running programs, reading the clock and drawing lots. */
export interface System {
  readonly run: (command: Command, options?: RunOptions) => Promise<CommandResult>;
  /** Full path of a program on PATH (with the sbin folders), or undefined. */
  readonly which: (name: string) => string | undefined;
  readonly now: () => Date;
  readonly isRoot: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The real machine. */
export function realSystem(signal?: AbortSignal): System {
  return {
    run: (command, options = {}) => run(command, signal === undefined ? options : { signal, ...options }),
    which,
    now: () => new Date(),
    isRoot: process.getuid?.() === 0,
    env: process.env,
  };
}

/** The command as one would type it, for logs and messages. */
export function showCommand(command: Command): string {
  return [command.file, ...command.args].map(quoteForReading).join(' ');
}

async function run(command: Command, options: RunOptions): Promise<CommandResult> {
  const child = execa(command.file, [...command.args], {
    env: { PATH: searchPath(), ...smallProxyVariables(process.env), ...command.env },
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    ...(command.input !== undefined
      ? { input: command.input }
      : { stdin: command.feed ? ('pipe' as const) : ('ignore' as const) }),
    ...(command.timeout === undefined ? {} : { timeout: command.timeout }),
    ...(command.isApart === true ? { detached: true } : {}),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    reject: false,
    stripFinalNewline: true,
    maxBuffer: 64 * 1024 * 1024,
    ...(options.onLine === undefined ? {} : { all: true as const }),
  });
  const feeding = command.feed === undefined ? undefined : feed(child.stdin, command.feed);
  if (options.onLine !== undefined) {
    const { onLine } = options;
    for await (const line of child.iterable({ from: 'all' })) onLine(String(line));
  }
  const result = await child;
  const fault = await feeding;
  // of a program that ended early nobody takes more: then it is the one to be heard
  const isCutOff = cutOff.includes((fault as NodeJS.ErrnoException | undefined)?.code ?? '');
  if (fault !== undefined && !isCutOff) throw fault;
  if (result.isCanceled) {
    throw new UserError('interrupted', { exitCode: exitCodes.interrupted });
  }
  if (result.exitCode === undefined && !result.timedOut && result.signal === undefined) {
    throw new UserError(`${command.file} could not be started: ${result.shortMessage ?? 'unknown reason'}`, {
      hint: 'create-devserver check lists what this machine lacks',
      exitCode: exitCodes.machineLacks,
    });
  }
  const exitCode = result.exitCode ?? 128;
  const output = { stdout: String(result.stdout ?? ''), stderr: String(result.stderr ?? ''), exitCode };
  const accepted = options.accept === 'any' || (options.accept ?? [0]).includes(exitCode);
  if (result.timedOut || (!accepted && !result.timedOut)) throw failure(command, output, result.timedOut);
  if (isCutOff) throw fault;
  return output;
}

/** What a writer hears of a reader that is gone: while it writes, or between two pieces. */
const cutOff = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'];

/** What went wrong with the writing, if anything. */
async function feed(stdin: Writable | null, work: Feed): Promise<unknown> {
  // each write hears of it itself
  stdin?.on('error', () => {});
  const write = (piece: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => stdin?.write(piece, (error) => (error ? reject(error) : resolve())));
  try {
    await work(write);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    stdin?.end();
  }
}

function failure(command: Command, output: CommandResult, timedOut: boolean): UserError {
  const what = timedOut ? `did not end within ${(command.timeout ?? 0) / 1000} s` : `ended with code ${output.exitCode}`;
  return new UserError(`${path.basename(command.file)} ${what}`, {
    details: [`$ ${showCommand(command)}`, ...lastLines(`${output.stdout}\n${output.stderr}`, 12)],
  });
}

/** The last `count` lines that hold anything. */
export function lastLines(text: string, count: number): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count);
}

function which(name: string): string | undefined {
  const candidates = name.includes('/')
    ? [name]
    : searchPath()
        .split(':')
        .map((folder) => path.join(folder, name));
  return candidates.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian keeps sbin out of an ordinary user's PATH, yet mke2fs and friends work there. */
function searchPath(): string {
  return [process.env.PATH ?? '/usr/bin:/bin', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':');
}

function quoteForReading(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
