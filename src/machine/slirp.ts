import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../kernel/system.ts';
import type { Ports } from './instance.ts';

/** The address libslirp's DHCP gives to its only client, here and in QEMU. */
const guestAddress = '10.0.2.15';

/** slirp4netns for the network namespace of `pid`; it dies with the process that starts it. */
export function slirpCommand(pid: number, socket: string): Command {
  // Without --disable-host-loopback the guest would reach everything on the user's 127.0.0.1.
  const slirp = ['slirp4netns', '--disable-host-loopback', `--api-socket=${socket}`, String(pid), 'tap0'];
  return { file: 'setpriv', args: ['--pdeathsig', 'KILL', '--', ...slirp] };
}

/** The requests that publish a machine's ports, in slirp4netns' API (slirp4netns(1), API SOCKET). */
export function forwardRequests(listen: string, ports: Ports): readonly object[] {
  const pairs = [
    [ports.https, 443],
    [ports.http, 80],
    [ports.ssh, 22],
  ];
  return pairs.map(([host_port, guest_port]) => ({
    execute: 'add_hostfwd',
    arguments: { proto: 'tcp', host_addr: listen, host_port, guest_addr: guestAddress, guest_port },
  }));
}

/**
 * Connects a namespace to the network and publishes the ports; resolves when they are open.
 * `socket` is relative to the current folder, since a socket's path may hold 107 bytes only.
 */
export async function startSlirp(pid: number, socket: string, listen: string, ports: Ports): Promise<ChildProcess> {
  const command = slirpCommand(pid, socket);
  const child = spawn(command.file, command.args, { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    for (const request of forwardRequests(listen, ports)) await ask(child, socket, request);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return child;
}

/** One request per connection; the socket appears a moment after the start. */
async function ask(child: ChildProcess, socket: string, request: object): Promise<void> {
  for (let attempt = 0; attempt < 2400; attempt += 1) {
    const answer = await exchange(socket, `${JSON.stringify(request)}\n`).catch(() => undefined);
    if (answer !== undefined && answer !== '') {
      const { error } = JSON.parse(answer) as { error?: { desc?: string } };
      if (error === undefined) return;
      throw new Error(`slirp4netns refused ${JSON.stringify(request)}: ${error.desc ?? answer}`);
    }
    if (child.exitCode !== null || child.signalCode !== null) break;
    await sleep(25);
  }
  throw new Error('slirp4netns does not answer');
}

function exchange(socket: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const connection = connect({ path: socket }, () => connection.end(text));
    connection.setEncoding('utf8');
    connection.on('data', (part) => {
      answer += part;
    });
    connection.on('error', reject);
    connection.on('close', () => resolve(answer));
  });
}
