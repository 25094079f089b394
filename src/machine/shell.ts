import { connectSsh, endWhenAborted, type OpenChannel, openChannel } from './ssh.ts';

/**
 * A shell in the machine on this terminal: raw keys, window size followed. Returns the shell's exit code.
 * Without a terminal the shell reads standard input as it is. Aborting `signal` ends it.
 */
export async function interactiveShell(dir: string, signal?: AbortSignal): Promise<number> {
  const client = await connectSsh(dir, 10_000, signal);
  const stopListening = endWhenAborted(client, signal);
  try {
    const { stdin, stdout } = process;
    const opened = await openChannel((done) => {
      if (stdin.isTTY) client.shell({ term: process.env.TERM ?? 'xterm', ...windowSize() }, done);
      else client.shell(false, done);
    });
    return await attach(opened, stdin, stdout);
  } finally {
    stopListening();
    client.end();
  }
}

async function attach({ channel, exit }: OpenChannel, stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream): Promise<number> {
  const resize = () => {
    const { rows, cols } = windowSize();
    channel.setWindow(rows, cols, 0, 0);
  };
  if (stdin.isTTY) stdin.setRawMode(true);
  stdout.on('resize', resize);
  stdin.pipe(channel);
  channel.pipe(stdout, { end: false });
  channel.stderr.pipe(process.stderr, { end: false });
  try {
    return await exit;
  } finally {
    stdout.off('resize', resize);
    stdin.unpipe(channel);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
  }
}

function windowSize(): { rows: number; cols: number } {
  return { rows: process.stdout.rows ?? 24, cols: process.stdout.columns ?? 80 };
}
