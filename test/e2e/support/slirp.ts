import { connect } from 'node:net';
import path from 'node:path';

/**
 * Publishes one more port of a natively booted appliance on 127.0.0.1, by its own way to the world: what
 * arrives there comes over its network card, not over its loopback. Ends with the function it returns.
 */
export async function publish(dir: string, guestPort: number, hostPort: number): Promise<() => Promise<void>> {
  const socket = path.join(dir, 'machine', 'slirp.sock');
  const forward = { proto: 'tcp', host_addr: '127.0.0.1', host_port: hostPort, guest_addr: '10.0.2.15', guest_port: guestPort };
  const { id } = (await ask(socket, { execute: 'add_hostfwd', arguments: forward })) as { id: number };
  return async () => {
    await ask(socket, { execute: 'remove_hostfwd', arguments: { id } });
  };
}

/**
 * What comes of talking to a port of 127.0.0.1. slirp itself accepts every connection, so that says nothing:
 * a guest that takes it answers or ends it, one that takes nothing (a firewall that drops) leaves silence.
 */
export function talk(port: number, say: string, milliseconds: number): Promise<'answer' | 'end' | 'silence'> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(say));
    const settle = (outcome: 'answer' | 'end' | 'silence'): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(milliseconds, () => settle('silence'));
    socket.on('data', () => settle('answer'));
    socket.on('error', () => settle('end'));
    socket.on('close', () => settle('end'));
  });
}

function ask(socket: string, request: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const connection = connect({ path: socket }, () => connection.end(JSON.stringify(request)));
    connection.setEncoding('utf8');
    connection.on('data', (part: string) => {
      answer += part;
    });
    connection.on('error', reject);
    connection.on('close', () => {
      const { error, return: value } = JSON.parse(answer) as { error?: { desc?: string }; return?: unknown };
      if (error === undefined) resolve(value);
      else reject(new Error(`slirp4netns refused ${JSON.stringify(request)}: ${error.desc}`));
    });
  });
}
