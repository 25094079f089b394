import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type CliResult, generator } from './cli.ts';

/** An HTTP request made inside, past the front. */
export interface InsideRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface InsideResponse {
  /** 0 when nobody listens. */
  readonly status: number;
  readonly body: string;
}

/** One program running inside the appliance for many small questions: `exec` for each costs half a second. */
export interface Session {
  /** Runs a program as root; a failure is an answer. */
  tryRun(argv: readonly string[], input?: string): Promise<CliResult>;
  /** Runs a program as root and returns what it printed. */
  run(argv: readonly string[], input?: string): Promise<string>;
  /** Asks a component's driver. */
  driver(component: string, verb: string, args: unknown): Promise<unknown>;
  fetch(request: InsideRequest): Promise<InsideResponse>;
  close(): Promise<void>;
}

/** Opens a session in the appliance of DIR. */
export function openSession(dir: string): Session {
  const args = [generator, 'exec', dir, '--', 'node', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const ask = exchange(child);
  const tryRun: Session['tryRun'] = async (argv, input = '') => (await ask('run', { argv, input })) as CliResult;
  return {
    tryRun,
    run: async (argv, input) => {
      const { exitCode, stdout, stderr } = await tryRun(argv, input);
      if (exitCode !== 0) throw new Error(`inside: ${argv.join(' ')} ended with ${exitCode}\n${stdout}\n${stderr}`);
      return stdout;
    },
    driver: async (component, verb, given) => {
      const answer = (await ask('driver', { component, line: JSON.stringify({ id: 1, verb, args: given }) })) as {
        ok: boolean;
        value?: unknown;
        message?: string;
      };
      if (!answer.ok) throw new Error(`${component} ${verb}: ${answer.message}`);
      return answer.value;
    },
    fetch: async (request) => (await ask('fetch', request)) as InsideResponse,
    close: () =>
      new Promise((resolve) => {
        // it may have ended by itself
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.on('close', () => resolve());
        child.stdin.end();
      }),
  };
}

/** Sends a question as a line and resolves with the line that bears its number. */
function exchange(child: ChildProcessWithoutNullStreams): (kind: string, value: object) => Promise<unknown> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let last = 0;
  let errors = '';
  child.stderr.on('data', (part: Buffer) => {
    errors += part.toString('utf8');
  });
  child.stdin.on('error', () => {});
  child.on('close', () => {
    for (const { reject } of waiting.values()) reject(new Error(`the session inside ended: ${errors}`));
    waiting.clear();
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, value, failure } = JSON.parse(line) as { id: number; value?: unknown; failure?: string };
    const asker = waiting.get(id);
    waiting.delete(id);
    if (failure === undefined) asker?.resolve(value);
    else asker?.reject(new Error(`inside: ${failure}`));
  });
  return (kind, value) =>
    new Promise((resolve, reject) => {
      if (child.exitCode !== null) return reject(new Error(`the session inside ended: ${errors}`));
      last += 1;
      waiting.set(last, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id: last, kind, ...value })}\n`);
    });
}

const program = `
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
const kinds = {
  run: ({ argv, input }) => new Promise((resolve) => {
    const child = spawn(argv[0], argv.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '', stderr = '';
    child.stdout.on('data', (part) => { stdout += part; });
    child.stderr.on('data', (part) => { stderr += part; });
    child.on('error', (error) => resolve({ exitCode: 127, stdout, stderr: error.message }));
    child.on('close', (code) => resolve({ exitCode: code ?? 128, stdout, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  }),
  driver: async ({ component, line }) => {
    const socket = connect('/run/devserver/drivers/' + component + '.sock');
    socket.write(line + '\\n');
    let text = '';
    for await (const part of socket) { text += part; if (text.includes('\\n')) break; }
    socket.destroy();
    return JSON.parse(text);
  },
  fetch: async ({ url, method, headers, body }) => {
    try {
      const response = await fetch(url, { method, headers, body, redirect: 'manual', signal: AbortSignal.timeout(60000) });
      return { status: response.status, body: await response.text() };
    } catch (error) {
      return { status: 0, body: String(error.cause ?? error) };
    }
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  const { id, kind, ...rest } = JSON.parse(line);
  kinds[kind](rest).then((value) => ({ id, value }), (error) => ({ id, failure: String(error) })).then((answer) => console.log(JSON.stringify(answer)));
}
`;
