import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import ssh2, { type Client } from 'ssh2';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { RemoteHost } from './remote-host.ts';
import { openChannel } from './ssh.ts';

/**
 * A connection to a host that ssh knows. The first key that it takes is used.
 * @param accepted fingerprint (SHA256:…) of a host key that is believed though ssh does not know it.
 * @throws UserError when nothing answers, the host is strange, or no key is taken.
 */
export async function connectRemote(remote: RemoteHost, accepted: string | undefined, signal: AbortSignal): Promise<Client> {
  const { user, host, port, known } = remote;
  const ways = waysIn(remote);
  let refusal: UserError | undefined;
  const strange = (key: Buffer): UserError | undefined => {
    const offered = key.toString('base64');
    const fingerprint = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
    if (known.some((it) => it.key === offered) || fingerprint === accepted) return undefined;
    return new UserError(
      known.length === 0 ? `${host} is not known to ssh` : `${host} shows another host key than ssh knows: nothing was sent`,
      {
        exitCode: exitCodes.machineLacks,
        details: [`it shows ${fingerprint}`],
        hint: `compare that with the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: --host-key ${fingerprint}`,
      },
    );
  };
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const client = new ssh2.Client();
    const giveUp = () => {
      client.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    client.once('ready', () => {
      signal.removeEventListener('abort', giveUp);
      resolve(client);
    });
    client.on('error', (error: Error & { level?: string }) => {
      // an agent that is gone leaves the other keys
      if (error.level === 'agent') return;
      signal.removeEventListener('abort', giveUp);
      client.destroy();
      reject(refusal ?? notReached(remote, error));
    });
    const types = [...new Set(known.map(({ type }) => type))];
    client.connect({
      ...{ host, port, username: user, readyTimeout: 20_000, keepaliveInterval: 15_000 },
      // of several keys of the host it shows one that can be compared
      ...(types.length === 0 ? {} : { algorithms: { serverHostKey: types.flatMap(algorithms) as [] } }),
      hostVerifier: (key: Buffer) => {
        refusal = strange(key);
        return refusal === undefined;
      },
      authHandler: ((_left: unknown, _partly: unknown, next: (way: unknown) => void) => next(ways.shift() ?? false)) as never,
    });
  });
}

/** RSA keys sign with newer digests under other names. */
const algorithms = (type: string): string[] => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]);

function waysIn({ user, keys, keysFirst, agent }: RemoteHost): object[] {
  const readable = keys.flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    const parsed = ssh2.utils.parseKey(text);
    // one with a passphrase is an agent's affair
    return parsed instanceof Error ? [] : [{ type: 'publickey', username: user, key: text }];
  });
  const ofAgent = agent === undefined || agent === '' ? [] : [{ type: 'agent', username: user, agent }];
  return keysFirst ? [...readable, ...ofAgent] : [...ofAgent, ...readable];
}

function notReached({ user, host, port, keys, agent }: RemoteHost, error: Error & { level?: string }): UserError {
  const isLogin = error.level === 'client-authentication' || /authentication failures/.test(error.message);
  const tried = [...(agent === undefined || agent === '' ? [] : ["an agent's keys"]), ...keys];
  return new UserError(
    isLogin ? `${host} lets nobody in as ${user}` : `${host} does not answer on port ${port}: ${error.message}`,
    {
      exitCode: exitCodes.machineLacks,
      hint: isLogin
        ? `add your key to its ~/.ssh/authorized_keys; tried: ${tried.join(', ') || 'no key at all'}; one with a passphrase has to be in an agent`
        : 'is it on, and does its ssh answer there? another port: --port',
      cause: error,
    },
  );
}

export interface RemoteRun {
  /** A line that it prints. */
  readonly onLine: (line: string) => void;
  /** File that it reads. */
  readonly input: string;
  readonly signal: AbortSignal;
}

/** Runs a program, given as the remote shell takes it, and returns its exit code and what it printed as errors. */
export async function runRemote(
  client: Client,
  command: string,
  run: RemoteRun,
): Promise<{ exitCode: number; errors: string[] }> {
  const { channel, exit } = await openChannel((done) => client.exec(command, done));
  const errors: string[] = [];
  eachLine(channel, run.onLine);
  eachLine(channel.stderr, (line) => errors.push(line));
  // it may end before it has read all: its exit code says why
  await pipeline(createReadStream(run.input), channel.stdin, { signal: run.signal }).catch(() => run.signal.throwIfAborted());
  const exitCode = await Promise.race([exit, aborted(run.signal)]);
  return { exitCode, errors };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function eachLine(stream: NodeJS.ReadableStream, tell: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (part: string) => {
    const lines = `${rest}${part}`.split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(tell);
  });
  stream.on('end', () => rest !== '' && tell(rest));
}
