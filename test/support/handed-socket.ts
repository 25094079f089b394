import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { checkout } from './real.ts';

/** A program of ours, started as systemd starts it: with a listening Unix socket as descriptor 3. */
export interface HandedSocket {
  readonly socket: string;
  readonly child: ChildProcess;
  /** What it has written to standard error so far. */
  readonly errors: () => string;
  readonly close: () => Promise<void>;
}

/** Makes the socket and becomes the program, as socket activation does. */
export const listenAndExec = `
  $^F = 10;
  my $socket = IO::Socket::UNIX->new(Local => shift, Listen => 16) or die $!;
  POSIX::dup2(fileno($socket), 3);
  exec @ARGV or die $!;
`;

/** Bundles TypeScript `source` (imports from the checkout's root as /src/…) and runs it with `args`. */
export async function startOnSocket(source: string, args: readonly string[] = []): Promise<HandedSocket> {
  const folder = mkdtempSync(path.join(tmpdir(), 'handed-'));
  const program = path.join(folder, 'program.mjs');
  const text = source.replaceAll(/from '\/(src|provision)\//g, `from '${checkout}/$1/`);
  await build({
    stdin: { contents: text, resolveDir: checkout, loader: 'ts' },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
  });
  const socket = path.join(folder, 'socket');
  const child = spawn(
    'perl',
    ['-MIO::Socket::UNIX', '-MPOSIX', '-e', listenAndExec, socket, process.execPath, program, ...args],
    { stdio: ['ignore', 'inherit', 'pipe'] },
  );
  let errors = '';
  child.stderr?.on('data', (part: Buffer) => {
    errors += part.toString('utf8');
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await untilConnectable(socket);
  const close = async (): Promise<void> => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { socket, child, errors: () => errors, close };
}

/** Waits until somebody listens at a Unix socket. */
export async function untilConnectable(socket: string): Promise<void> {
  for (let tries = 0; tries < 2400; tries += 1) {
    const reached = await new Promise<boolean>((resolve) => {
      const probe = connect(socket, () => resolve(true)).on('error', () => resolve(false));
      probe.on('connect', () => probe.end());
    });
    if (reached) return;
    await sleep(25);
  }
  throw new Error(`nobody listens at ${socket}`);
}
