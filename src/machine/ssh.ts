import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, { type Client, type ClientChannel } from 'ssh2';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { readIfThere, writeOwn } from './files.ts';
import { type MachinePaths, machinePaths } from './instance.ts';
import { isAlive } from './process.ts';
import { readState } from './state.ts';

/**
 * A connection as root by the machine's own key. The host key of the first connection is kept in
 * known_host and insisted on later. Tries again for `milliseconds` while the guest does not answer yet.
 * Aborting `signal` gives up at once, with the signal's reason as the error.
 */
export async function connectSsh(dir: string, milliseconds = 0, signal?: AbortSignal): Promise<Client> {
  const paths = machinePaths(dir);
  const state = await readState(paths.state);
  if (!isAlive(state?.process)) throw notRunning(dir);
  const known = (await readIfThere(paths.knownHost))?.trim();
  const key = readKey(paths);
  const until = performance.now() + milliseconds;
  const host = state.listen === '0.0.0.0' ? '127.0.0.1' : state.listen;
  for (;;) {
    try {
      return await tryOnce(host, state.ports.ssh, { paths, key, known }, signal, milliseconds > 0 ? 30_000 : 10_000);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof UserError || performance.now() > until) throw asUserError(error, dir);
      await sleep(1000, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  }
}

/**
 * Ends the connection when `signal` aborts: in order, and half a second later in any case, since a guest
 * that hangs never answers. Returns the end of the listening.
 */
export function endWhenAborted(client: Client, signal: AbortSignal | undefined): () => void {
  const end = () => {
    client.end();
    setTimeout(() => client.destroy(), 500).unref();
  };
  if (signal?.aborted === true) end();
  signal?.addEventListener('abort', end, { once: true });
  return () => signal?.removeEventListener('abort', end);
}

/** The error of every command that needs a running machine. */
export function notRunning(dir: string): UserError {
  return new UserError(`the machine in ${dir} does not run`, {
    hint: `start it: create-devserver up ${dir}`,
    exitCode: exitCodes.failedUndone,
  });
}

/** A program or shell in the machine, and the exit code it will end with. */
export interface OpenChannel {
  readonly channel: ClientChannel;
  readonly exit: Promise<number>;
}

/**
 * Opens a channel by `open`. The exit code is listened for at once: of a short program the start and the end may arrive in
 * one piece, and are then told in one go.
 */
export function openChannel(
  open: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
): Promise<OpenChannel> {
  return new Promise((resolve, reject) => {
    open((error, channel) => (error === undefined ? resolve({ channel, exit: exitOf(channel) }) : reject(error)));
  });
}

/** The exit code behind a channel; 128 plus 15 stands for a program ended by a signal. */
function exitOf(channel: ClientChannel): Promise<number> {
  return new Promise((resolve) => {
    let code: number | undefined;
    channel.on('exit', (status: number | null) => {
      code = status ?? 143;
    });
    channel.on('close', () => resolve(code ?? 255));
  });
}

/** What the two ends know each other by. */
interface Identity {
  readonly paths: MachinePaths;
  readonly key: string;
  readonly known: string | undefined;
}

function readKey({ sshKey }: MachinePaths): string {
  const key = readFileSync(sshKey, 'utf8');
  const parsed = ssh2.utils.parseKey(key);
  if (!(parsed instanceof Error)) return key;
  throw new UserError(`the machine's key ${sshKey} can not be read: ${parsed.message}`, {
    hint: 'the next `up` makes another, which the machine takes as it starts',
  });
}

function tryOnce(
  host: string,
  port: number,
  { paths, key: privateKey, known }: Identity,
  signal: AbortSignal | undefined,
  readyTimeout: number,
): Promise<Client> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const client = new ssh2.Client();
    let mismatch: UserError | undefined;
    // A guest that still boots takes the connection and says nothing: without this, up to readyTimeout.
    const giveUp = () => {
      client.destroy();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    client.once('ready', () => {
      signal?.removeEventListener('abort', giveUp);
      resolve(client);
    });
    // Not once: a client may report one failure twice. Later ones show as a closed channel.
    client.on('error', (error) => {
      signal?.removeEventListener('abort', giveUp);
      client.destroy();
      reject(mismatch ?? error);
    });
    client.connect({
      host,
      port,
      username: 'root',
      privateKey,
      readyTimeout,
      keepaliveInterval: 15_000,
      hostVerifier: (key: Buffer) => {
        const offered = key.toString('base64');
        if (known === undefined) writeOwn(paths.knownHost, `${offered}\n`);
        else if (known !== offered) mismatch = strangeHost(paths);
        return mismatch === undefined;
      },
    });
  });
}

function strangeHost(paths: MachinePaths): UserError {
  return new UserError('the machine shows another ssh host key than before', {
    hint: `if you replaced its data disk, delete ${paths.knownHost}; otherwise something else answers on its port`,
  });
}

function asUserError(error: unknown, dir: string): UserError {
  if (error instanceof UserError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new UserError(`no ssh connection to the machine in ${dir}: ${reason}`, {
    hint: 'it may still boot; `create-devserver logs` and machine/console.log show how far it is',
    cause: error,
  });
}
