import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { Ports } from './instance.ts';

const names = ['https', 'http', 'ssh'] as const;

/** First choices; also what a reader of a URL recognises. */
const favourites: Ports = { https: 8443, http: 8080, ssh: 8022 };

/**
 * The ports of a machine: asked for, else those it had, else free ones.
 * A port that was asked for, or that stands in URLs already, must be free: it is never replaced in silence.
 */
export async function choosePorts(listen: string, asked: Partial<Ports>, recorded: Ports | undefined): Promise<Ports> {
  const fixed = { ...recorded, ...asked };
  const used = names.flatMap((name) => fixed[name] ?? []);
  const chosen: Record<string, number> = {};
  for (const name of names) {
    const port = fixed[name];
    if (port !== undefined) await insist(listen, port, name, { wasAsked: asked[name] !== undefined, used });
    chosen[name] = port ?? (await freePort(listen, favourites[name], [...used, ...Object.values(chosen)]));
  }
  return chosen as unknown as Ports;
}

async function insist(
  listen: string,
  port: number,
  name: string,
  { wasAsked, used }: { readonly wasAsked: boolean; readonly used: readonly number[] },
): Promise<void> {
  const isTwice = used.filter((it) => it === port).length > 1;
  // what held it for this machine may be ending at this moment
  const patience = wasAsked ? 0 : 2000;
  const problem = isTwice ? 'EADDRINUSE' : await whyNotFor(listen, port, patience);
  if (problem === undefined) return;
  const origin = wasAsked ? `asked for with --${name}-port` : 'the one this machine had before';
  const taken = isTwice ? 'is another port of this machine already' : 'is taken by another program';
  const reason = problem === 'EADDRINUSE' ? taken : `can't be opened (${problem})`;
  throw new UserError(`port ${port} on ${listen} for ${name}, ${origin}, ${reason}`, {
    hint: `end what uses it (ss -ltnp 'sport = :${port}' shows it) or choose another with --${name}-port`,
    exitCode: exitCodes.failedUndone,
  });
}

async function freePort(listen: string, from: number, used: readonly number[]): Promise<number> {
  for (let port = from; port < from + 100; port += 1) {
    if (!used.includes(port) && (await whyNot(listen, port)) === undefined) return port;
  }
  throw new UserError(`no free port between ${from} and ${from + 99} on ${listen}`, {
    hint: 'name ports with --https-port, --http-port and --ssh-port',
  });
}

/** As `whyNot`, when it stays so for some milliseconds. */
async function whyNotFor(listen: string, port: number, milliseconds: number): Promise<string | undefined> {
  for (const end = performance.now() + milliseconds; ; await sleep(100)) {
    const problem = await whyNot(listen, port);
    if (problem !== 'EADDRINUSE' || performance.now() >= end) return problem;
  }
}

/** The code of the error that opening the port gives, or undefined when it can be opened. */
function whyNot(listen: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: listen, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
