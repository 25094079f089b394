import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openChannel } from '../../src/machine/ssh.ts';

/** A real server whose programs end as soon as they are started: start and end reach the client in one piece. */
const server = new ssh2.Server({ hostKeys: [ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private] }, (connection) => {
  connection.on('authentication', (context) => context.accept());
  connection.on('ready', () => {
    connection.on('session', (accept) => {
      accept().on('exec', (begin) => {
        const channel = begin();
        channel.exit(7);
        channel.close();
      });
    });
  });
  connection.on('error', () => {});
});
const client = new ssh2.Client();

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve, reject) => {
    client.on('ready', resolve).on('error', reject);
    client.connect({ host: '127.0.0.1', port, username: 'root', password: 'any' });
  });
});
afterAll(() => {
  client.end();
  server.close();
});

it('knows the exit code of a program that ended at once', async () => {
  for (let round = 0; round < 20; round += 1) {
    const { channel, exit } = await openChannel((done) => client.exec('true', done));
    channel.resume();
    expect(await exit, `round ${round}`).toBe(7);
  }
});
