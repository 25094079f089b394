import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { readAnswers } from '../../src/commands/answers-file.ts';
import { instanceOf } from '../../src/commands/instance.ts';
import { writeAnswers } from '../../src/commands/kept-answers.ts';
import { readSshKeys, wrongSshKeys } from '../../src/commands/ssh-keys.ts';
import { DataError } from '../../src/kernel/errors.ts';
import { writeCredentials } from '../../src/machine/credentials.ts';
import { makeMachineFolder } from '../../src/machine/instance.ts';
import { keepSshKey } from '../../src/machine/keys.ts';
import { keepAdminPassword } from '../../src/machine/password.ts';
import { answersSchema } from '../../src/plan/answers.ts';
import { whyNoSshKey } from '../../src/plan/ssh-key.ts';
import { cliInside } from '../support/cli-inside.ts';

const made = {
  ed25519: ssh2.utils.generateKeyPairSync('ed25519', { comment: 'ann at home' }),
  rsa: ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 }),
  ecdsa: ssh2.utils.generateKeyPairSync('ecdsa', { bits: 384, comment: 'über' }),
};
const [ed25519, rsa, ecdsa] = [made.ed25519.public, made.rsa.public, made.ecdsa.public];
const fresh = (): string => mkdtempSync(path.join(tmpdir(), 'keys-'));

function file(text: string): string {
  const name = path.join(fresh(), 'key.pub');
  writeFileSync(name, text);
  return name;
}

const machine = { memory: '3G', systemDisk: '4G', dataDisk: '20G' };
const server = { version: 1, name: 'shop', hostname: 'shop', base: 'debian-13', machine };

describe('a public key', () => {
  it('of every kind is taken as it stands in its file', () => {
    for (const key of [ed25519, rsa, ecdsa]) expect(whyNoSshKey(key), key).toBeUndefined();
  });

  it.each([
    ['', 'must be a public key in one line'],
    ['ssh-ed25519', 'must be a public key in one line'],
    [`${ed25519}\n${rsa}`, 'must be a public key in one line'],
    [`from="10.0.0.1" ${ed25519}`, 'must be a public key in one line'],
    [made.ed25519.private, 'is a private key, which stays with its owner'],
    [ed25519.replace('ssh-ed25519', 'ssh-dss'), 'ssh-dss is no kind of key that ssh takes'],
    [ed25519.replace('ssh-ed25519', 'ssh-rsa'), 'is not a whole ssh-rsa key'],
    [ed25519.split(' ').slice(0, 2).join(' ').slice(0, -20), 'is not a whole ssh-ed25519 key'],
    [rsa.slice(0, 204), 'is not a whole ssh-rsa key'],
    ['ssh-ed25519 AA', 'is not a whole ssh-ed25519 key'],
  ])('is not %j', (text, why) => {
    expect(whyNoSshKey(text)).toContain(why);
  });
});

describe('--ssh-key', () => {
  it('takes files with one key a line, each key once', () => {
    const sshKey = [file(`# ann\n${ed25519}\n\n${rsa}\n`), file(`${ed25519}\n`)];
    expect(wrongSshKeys({ sshKey })).toEqual([]);
    expect(readSshKeys({ sshKey })).toEqual([ed25519, rsa]);
  });

  it('is told with all other wrong flags', async () => {
    const wrong = [fresh(), file(''), file(made.rsa.private), file(`${rsa}\nssh-dss AAAA\n`), '/nowhere.pub'];
    const flags = wrong.flatMap((name) => ['--ssh-key', name]);
    const { exitCode, stderr } = await cliInside([path.join(fresh(), 'x'), '--yes', '--cpus', '99', ...flags]);
    const lines = stderr.trimEnd().split('\n');
    expect([exitCode, lines.at(-1)]).toEqual([2, 'create-devserver: 6 flags are wrong']);
    const messages = [
      'it is not a file',
      'it holds no key',
      'is a private key',
      'line 2 ssh-dss is no kind',
      'there is no such file',
    ];
    for (const [index, message] of messages.entries())
      expect(lines[index + 1]).toContain(`--ssh-key ${wrong[index]}: ${message}`);
  });

  it('reaches the machine by way of devserver.yaml, as a credential', async () => {
    const dir = fresh();
    writeAnswers(dir, answersSchema.parse({ ...server, sshKeys: readSshKeys({ sshKey: [file(`${ed25519}\n${ecdsa}`)] }) }));
    expect(readFileSync(path.join(dir, 'devserver.yaml'), 'utf8')).toContain(`sshKeys:\n  - ${ed25519}\n  - ${ecdsa}\n`);
    const instance = instanceOf(dir);
    const paths = makeMachineFolder(dir);
    await keepAdminPassword(paths.adminPassword);
    keepSshKey(paths, 'shop');
    await writeCredentials(instance, paths, { url: 'https://127.0.0.1:8443', disasterRecipient: 'age1' });
    const own = readFileSync(`${paths.sshKey}.pub`, 'utf8');
    const credential = readFileSync(path.join(paths.credentials, 'ssh.authorized_keys.root'), 'utf8');
    expect(credential).toBe(`${own}${ed25519}\n${ecdsa}\n`);
  });
});

it('a key in devserver.yaml that is none is told at its line', () => {
  const dir = fresh();
  const text = `${JSON.stringify(server)
    .slice(1, -1)
    .replaceAll(/"(\w+)":/g, '"$1": ')}`;
  writeFileSync(path.join(dir, 'devserver.yaml'), `{${text},\nsshKeys: [\n  ${ed25519},\n  ssh-rsa AAAA\n]}\n`);
  const told = [expect.stringMatching(/devserver\.yaml:4:3: sshKeys\.1: is not a whole ssh-rsa key: copy all of its line$/)];
  let thrown: unknown;
  try {
    readAnswers(dir);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(DataError);
  expect((thrown as DataError).details).toEqual(told);
});
