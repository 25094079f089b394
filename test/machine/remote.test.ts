import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RemoteHost, remoteHost } from '../../src/machine/remote-host.ts';
import { connectRemote, runRemote } from '../../src/machine/remote-session.ts';
import { fakeSystem } from '../support/fake-system.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'remote-'));
const file = (name: string, text: string): string => {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};
const pair = () => ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
const [host, mine, strange] = [pair(), pair(), pair()];
const [type = '', publicHost = ''] = host.public.split(' ');
const fingerprint = `SHA256:${createHash('sha256').update(Buffer.from(publicHost, 'base64')).digest('base64').replace(/=+$/, '')}`;
const never = new AbortController().signal;

describe('what ssh knows of a host', () => {
  const identity = file('id', mine.private);
  const known = file('known', 'x\n');
  const settings = (...more: string[]): string =>
    [
      'user ann',
      'hostname dev.example.org',
      'port 2222',
      `identityfile ${identity}`,
      'identityfile ~/.ssh/none',
      `userknownhostsfile ${known}`,
      ...more,
    ].join('\n');
  const of = (stdout: string, wish = {}) => {
    const { system, ran } = fakeSystem(['ssh'], {
      answer: (line) =>
        line.startsWith('ssh -G')
          ? { stdout }
          : { stdout: `# Host found: line 1\n|1|a=|b= ${type} ${publicHost}\n@revoked * ssh-rsa AAAA\n`, exitCode: 0 },
    });
    return { ran, asked: remoteHost({ to: 'ann@dev', ...wish }, system) };
  };

  it('is its address, the keys that can be read, and its host keys, hashed names too', async () => {
    const { ran, asked } = of(settings());
    expect(await asked).toMatchObject({
      user: 'ann',
      host: 'dev.example.org',
      port: 2222,
      keys: [identity],
      keysFirst: false,
      known: [{ type, key: publicHost }],
    });
    expect(ran).toEqual(['ssh -G -- ann@dev', `ssh-keygen -F [dev.example.org]:2222 -f ${known}`]);
  });

  it('gives way to what was typed', async () => {
    const other = file('other', mine.private);
    const { ran, asked } = of(settings('identityagent none'), { port: 22, identity: other });
    expect(await asked).toMatchObject({ keys: [other], keysFirst: true, agent: undefined });
    expect(ran[0]).toBe('ssh -G -p 22 -- ann@dev');
  });

  it.each([
    ['a jump host', settings('proxyjump gate'), {}, /through another host/],
    ['a key that is not there', settings(), { identity: path.join(folder, 'nowhere') }, /can not be read/],
    ['a name that is an option', settings(), { to: '-oProxyCommand=x' }, /USER@HOST/],
    ['a name with a blank', settings(), { to: 'ann@a b' }, /USER@HOST/],
  ])('refuses %s', async (_what, stdout, wish, why) => {
    await expect(of(stdout, wish).asked).rejects.toThrow(why);
  });
});

describe('a connection to such a host', () => {
  const seen: string[] = [];
  const server = new ssh2.Server({ hostKeys: [host.private] }, (connection) => {
    connection.on('authentication', (context) => {
      const wanted = ssh2.utils.parseKey(mine.public);
      if (context.method === 'publickey' && !(wanted instanceof Error) && context.key.data.equals(wanted.getPublicSSH()))
        context.accept();
      else context.reject(['publickey']);
    });
    connection.on('session', (accept) => {
      accept().on('exec', (begin, _refuse, { command }) => {
        const channel = begin();
        let input = '';
        channel.on('data', (part: Buffer) => (input += part.toString()));
        channel.on('end', () => {
          seen.push(`${command}: ${input}`);
          channel.stderr.write('first\nsec');
          channel.stderr.write('ond\n');
          channel.write('one\ntwo');
          channel.exit(64);
          channel.end();
        });
      });
    });
    connection.on('error', () => {});
  });
  let remote: RemoteHost;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const keys = [file('wrong', strange.private), file('right', mine.private), file('none', 'no key')];
    remote = {
      user: 'ann',
      host: '127.0.0.1',
      port,
      keys,
      keysFirst: false,
      agent: undefined,
      known: [{ type, key: publicHost }],
    };
  });
  afterAll(() => void server.close());

  it('hands a file in, and gives lines and exit code back', async () => {
    const client = await connectRemote(remote, undefined, never);
    const lines: string[] = [];
    const run = { onLine: (line: string) => void lines.push(line), input: file('input', 'much'), signal: never };
    expect(await runRemote(client, 'do it', run)).toEqual({ exitCode: 64, errors: ['first', 'second'] });
    expect(lines).toEqual(['one', 'two']);
    expect(seen).toEqual(['do it: much']);
    client.end();
  });

  it('is made though an agent is gone', async () => {
    const client = await connectRemote({ ...remote, agent: path.join(folder, 'gone') }, undefined, never);
    client.end();
  });

  it('is not made to one that ssh does not know, unless its fingerprint was given', async () => {
    const unknown = { ...remote, known: [] };
    await expect(connectRemote(unknown, undefined, never)).rejects.toMatchObject({
      exitCode: 4,
      details: [`it shows ${fingerprint}`],
    });
    (await connectRemote(unknown, fingerprint, never)).end();
  });

  it('is not made to one that shows another key', async () => {
    const [, other = ''] = strange.public.split(' ');
    await expect(connectRemote({ ...remote, known: [{ type, key: other }] }, undefined, never)).rejects.toThrow(
      /another host key/,
    );
  });

  it('says which keys were tried where none is taken, and is told from a host that is off', async () => {
    const [wrong = ''] = remote.keys;
    const nobody = connectRemote({ ...remote, keys: [wrong] }, undefined, never);
    await expect(nobody).rejects.toMatchObject({
      message: '127.0.0.1 lets nobody in as ann',
      hint: expect.stringContaining(wrong),
    });
    await expect(connectRemote({ ...remote, port: 1 }, undefined, never)).rejects.toThrow(/does not answer on port 1/);
  });
});
