import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Command } from '../kernel/system.ts';
import { machinePaths } from './instance.ts';
import { isAlive } from './process.ts';
import { quoteForShell } from './quote.ts';
import { connectSsh, endWhenAborted, notRunning, openChannel } from './ssh.ts';
import { readState } from './state.ts';

export interface ExecOptions {
  /** Standard input of the program; default: none. */
  readonly stdin?: Readable;
  /** Give the program this terminal's own streams; the streams below then mean nothing. */
  readonly tty?: boolean;
  /** How long a virtual machine that does not answer by ssh is asked again, default 60000; 0: one try, at most ten seconds. */
  readonly connectMilliseconds?: number;
  readonly onStdout?: (part: Buffer) => void;
  readonly onStderr?: (part: Buffer) => void;
  /** Ends the program, with exit code 130, or the wait for a connection, with the signal's reason as the error. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a program in the machine as root and returns its exit code. Words arrive as given: no shell
 * between. Natively it enters the guest's namespaces, which works from its first second; a virtual
 * machine is reached by ssh. Errors: machine off, ssh not answering in time.
 */
export async function execInMachine(dir: string, argv: readonly string[], options: ExecOptions = {}): Promise<number> {
  const state = await readState(machinePaths(dir).state);
  if (!isAlive(state?.process)) throw notRunning(dir);
  if (state.backend !== 'nspawn') return overSsh(dir, argv, options);
  if (!isAlive(state.leader)) throw notRunning(dir);
  return insideNamespaces(enterCommand(state.leader.pid, argv), options);
}

/**
 * Entering the container of this process 1, with a guest's environment instead of the user's. Each half
 * ends with its parent, so that nothing goes on in the guest when the command here is interrupted or killed.
 *
 * unshare, and not nsenter itself, waits for the program: a guest that goes down stops all its processes for a
 * moment, nsenter then stops itself too and for ever, and a guest ends only when every child has been waited for.
 */
export function enterCommand(leader: number, argv: readonly string[]): Command {
  const variables = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    'USER=root',
    'LANG=C.UTF-8',
    `TERM=${process.env.TERM ?? 'dumb'}`,
  ];
  const outside = ['--pdeathsig', 'KILL', '--', 'nsenter', '--target', String(leader), '--all', '--root'];
  const inside = ['/usr/bin/unshare', '--fork', '--kill-child=TERM', '--', '/usr/bin/env', '-i', ...variables];
  return { file: 'setpriv', args: [...outside, '--wdns=/root', '--no-fork', '--', ...inside, ...argv] };
}

function insideNamespaces(command: Command, options: ExecOptions): Promise<number> {
  const child = spawn(command.file, [...command.args], {
    stdio: options.tty === true ? 'inherit' : [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    // unshare lets a program decide about SIGTERM and is deaf to it itself
    ...(options.signal === undefined ? {} : { signal: options.signal, killSignal: 'SIGKILL' as const }),
  });
  if (options.stdin !== undefined && child.stdin !== null) {
    // A program need not read all it is given.
    child.stdin.on('error', () => {});
    options.stdin.pipe(child.stdin);
  }
  child.stdout?.on('data', (part: Buffer) => options.onStdout?.(part));
  child.stderr?.on('data', (part: Buffer) => options.onStderr?.(part));
  return new Promise((resolve, reject) => {
    child.once('error', (error) => (options.signal?.aborted === true ? resolve(130) : reject(error)));
    child.once('close', (code) => resolve(code ?? 143));
  });
}

async function overSsh(dir: string, argv: readonly string[], options: ExecOptions): Promise<number> {
  const client = await connectSsh(dir, options.connectMilliseconds ?? 60_000, options.signal);
  const stopListening = endWhenAborted(client, options.signal);
  try {
    const terminal = { term: process.env.TERM ?? 'xterm', rows: process.stdout.rows ?? 24 };
    const { channel, exit } = await openChannel((done) =>
      client.exec(quoteForShell(argv), options.tty === true ? { pty: terminal } : {}, done),
    );
    const tty = options.tty === true;
    const input = tty ? process.stdin : options.stdin;
    if (input === undefined) channel.end();
    else input.pipe(channel);
    channel.on('data', (part: Buffer) => (tty ? process.stdout.write(part) : options.onStdout?.(part)));
    channel.stderr.on('data', (part: Buffer) => (tty ? process.stderr.write(part) : options.onStderr?.(part)));
    const code = await exit;
    if (tty) process.stdin.unpipe(channel).pause();
    return options.signal?.aborted === true ? 130 : code;
  } finally {
    stopListening();
    client.end();
  }
}
