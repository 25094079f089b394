import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { System } from '../kernel/system.ts';

/** A machine of somebody's, as ssh would reach it. */
export interface RemoteHost {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** Files with private keys that are there and can be read. */
  readonly keys: readonly string[];
  /** Whether these come before an agent's. */
  readonly keysFirst: boolean;
  /** Socket of an agent. */
  readonly agent: string | undefined;
  /** Host keys that are known to be its, as in known_hosts: `ssh-ed25519 AAAA…`. */
  readonly known: readonly { readonly type: string; readonly key: string }[];
}

export interface RemoteWish {
  /** `USER@HOST`, or a name of ~/.ssh/config. */
  readonly to: string;
  readonly port?: number | undefined;
  /** File with a private key, in place of ssh's own. */
  readonly identity?: string | undefined;
}

/**
 * What OpenSSH's own configuration says of a host (`ssh -G`), and the host keys it knows.
 * @throws UserError when ssh is not installed, or reaches the host in a way that only it knows.
 */
export async function remoteHost({ to, port, identity }: RemoteWish, system: System): Promise<RemoteHost> {
  if (!/^([^@\s]+@)?[^@\s-][^@\s]*$/.test(to)) throw new UserError(`--ssh ${to}: it is USER@HOST`, { exitCode: exitCodes.usage });
  if (system.which('ssh') === undefined)
    throw new UserError('ssh is not installed', {
      exitCode: exitCodes.machineLacks,
      hint: 'sudo apt-get install openssh-client',
    });
  const asked = ['-G', ...(port === undefined ? [] : ['-p', String(port)]), '--', to];
  const { stdout } = await system.run({ file: 'ssh', args: asked });
  const settings = stdout.split('\n').map((line) => line.split(/ (.*)/, 2) as [string, string | undefined]);
  const all = (name: string): string[] => settings.flatMap(([key, value = '']) => (key === name ? [value] : []));
  const one = (name: string): string => all(name)[0] ?? '';
  const way = ['proxyjump', 'proxycommand'].find((name) => one(name) !== '' && one(name) !== 'none');
  if (way !== undefined)
    throw new UserError(`${to} is reached through another host (${way} in ssh's configuration)`, {
      exitCode: exitCodes.usage,
      hint: 'forward a port to it with ssh -L, and name that with --port',
    });
  const host = one('hostname');
  const number = Number(one('port'));
  const agent = one('identityagent');
  return {
    ...{ user: one('user'), host, port: number },
    keys: identity === undefined ? all('identityfile').map(atHome).filter(isReadable) : [readableKey(identity)],
    // a host takes a few keys and then ends it
    keysFirst: identity !== undefined || one('identitiesonly') === 'yes',
    agent: agent === 'none' ? undefined : agent === '' || agent === 'SSH_AUTH_SOCK' ? process.env.SSH_AUTH_SOCK : atHome(agent),
    known: await knownKeys(number === 22 ? host : `[${host}]:${number}`, hostFiles(all), system),
  };
}

function hostFiles(all: (name: string) => string[]): string[] {
  return ['userknownhostsfile', 'globalknownhostsfile']
    .flatMap((name) => all(name).flatMap((files) => files.split(' ')))
    .map(atHome);
}

async function knownKeys(name: string, files: readonly string[], system: System): Promise<RemoteHost['known']> {
  const found: { type: string; key: string }[] = [];
  for (const file of files.filter(isReadable)) {
    const { stdout } = await system.run({ file: 'ssh-keygen', args: ['-F', name, '-f', file] }, { accept: 'any' });
    for (const line of stdout.split('\n')) {
      const [, type, key] = line.split(' ');
      // a line that begins with @ is of an authority, or a key that was withdrawn
      if (!/^[#@]/.test(line) && type !== undefined && key !== undefined) found.push({ type, key });
    }
  }
  return found;
}

function readableKey(file: string): string {
  if (isReadable(file)) return path.resolve(file);
  throw new UserError(`--identity ${file}: it can not be read`, {
    exitCode: exitCodes.usage,
    hint: 'name the file of a private key',
  });
}

const atHome = (file: string): string => file.replace(/^~(?=\/)/, homedir());

function isReadable(file: string): boolean {
  try {
    return readFileSync(file).length > 0;
  } catch {
    return false;
  }
}
