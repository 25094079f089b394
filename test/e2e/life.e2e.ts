import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { checkout, cli, must, mustCli, run } from './support/cli.ts';
import { askDriver, inside, tryInside } from './support/inside.ts';
import { copyOf, discard, type UpResult, up } from './support/machine-copy.ts';
import { layOutProject, passwordOf, projects } from './support/projects.ts';

const appliance = inject('appliance');
const shop = projects.find(({ name }) => name === 'shop');
let dir = '';
let result: UpResult;

/** Everything a developer's clone proves: address, certificate, login, access, repository. */
async function developerSees(): Promise<string> {
  const url = `${result.url}svn/shop/trunk`;
  const ca = path.join(dir, 'ca.crt');
  const trust = `servers:global:ssl-authority-files=${ca}`;
  return must('svn', [
    'list',
    '--non-interactive',
    '--no-auth-cache',
    '--config-option',
    trust,
    '--username',
    'dev',
    '--password',
    passwordOf('dev'),
    url,
  ]);
}

async function curlStatus(pathname: string, user: string, password: string): Promise<string> {
  const args = [
    '-s',
    '--cacert',
    path.join(dir, 'ca.crt'),
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    '-u',
    `${user}:${password}`,
    `${result.url.replace(/\/$/, '')}${pathname}`,
  ];
  return (await run('curl', args)).stdout;
}

describe('the life of a server', () => {
  beforeAll(async () => {
    if (shop === undefined) throw new Error('the test project shop is missing');
    dir = await copyOf(appliance.dir, 'life');
    result = await up(dir, '--backend', 'nspawn', '--wait');
    writeFileSync(path.join(dir, 'ca.crt'), await inside(dir, ['cat', '/srv/system/secrets/apache/ca.crt']));
    for (const name of ['ann', 'dev', 'rob'])
      await askDriver(dir, 'ldap', 'apply', { kind: 'user', name, fullName: name, password: passwordOf(name) });
    await layOutProject(dir, shop);
    await inside(dir, ['runuser', '-u', 'www-data', '--', 'svn', 'mkdir', '-q', '-m', 'kept', 'file:///srv/svn/shop/trunk/kept']);
  });

  afterAll(() => discard(dir));

  it('survives a reboot with data, logins and address', async () => {
    const { started } = await statusOf();
    await inside(dir, ['touch', '/run/before-the-reboot']);
    // visitors that stay: a guest that goes down must not wait for them
    const visitors = Array.from({ length: 4 }, () => tryInside(dir, ['sleep', 'infinity']));
    await inside(dir, ['systemctl', 'reboot']);
    expect((await Promise.all(visitors)).map(({ exitCode }) => exitCode)).not.toContain(0);
    const again = await up(dir, '--backend', 'nspawn', '--wait');
    expect(again.url).toBe(result.url);
    expect((await tryInside(dir, ['test', '-e', '/run/before-the-reboot'])).exitCode).toBe(1);
    // the machine went on; only what is inside began anew
    expect((await statusOf()).started).toBe(started);
    expect(await developerSees()).toBe('kept/\n');
  });

  it('keeps data, logins, owners and identity when the system disk is replaced by one of other packages', async () => {
    const before = await ownersOfData();
    const hostKey = await inside(dir, ['cat', '/srv/system/secrets/core/hostkey.pub']);
    await mustCli(['down', dir]);
    const wasDown = Date.now();
    const stacks = path.join(checkout, 'test/fixtures/stacks');
    await mustCli([
      dir,
      '--yes',
      '--base',
      'debian-13',
      '--plain',
      '--stacks',
      stacks,
      '--with',
      'hello',
      '--set',
      'hello.greeting=Good day',
    ]);
    const upgraded = await up(dir, '--backend', 'nspawn', '--wait');
    const { started, uptimeSeconds } = await statusOf();
    expect(Date.parse(started)).toBeGreaterThan(wasDown);
    expect(uptimeSeconds).toBeLessThanOrEqual((Date.now() - wasDown) / 1000);
    expect(upgraded.url).toBe(result.url);
    expect(await developerSees()).toBe('kept/\n');
    // the package's own account came in between, so numbers nobody fixed may have moved
    expect(await inside(dir, ['getent', 'passwd', 'tcpdump'])).toContain('tcpdump');
    const after = await ownersOfData();
    for (const [file, owner] of Object.entries(before)) expect({ file, owner: after[file] }).toEqual({ file, owner });
    expect(await inside(dir, ['find', '/srv', '-nouser', '-o', '-nogroup'])).toBe('');
    expect(await inside(dir, ['cat', '/srv/system/secrets/core/hostkey.pub'])).toBe(hostKey);
    expect(await curlStatus('/', 'admin', readFileSync(result.adminPasswordFile, 'utf8').trim())).toBe('200');
  }, 2_400_000);

  it('runs a component that only a test folder knows, with its option, page and check', async () => {
    const page = await run('curl', [
      '-s',
      '--cacert',
      path.join(dir, 'ca.crt'),
      '-u',
      `dev:${passwordOf('dev')}`,
      `${result.url}hello`,
      '-L',
    ]);
    expect(page.stdout).toContain('Good day');
    const status = JSON.parse(await inside(dir, ['devserver', 'status', '--json'])) as {
      components: { name: string; state: string }[];
    };
    expect(status.components.find(({ name }) => name === 'hello')?.state).toBe('ready');
    expect(await curlStatus('/hello', 'dev', 'wrong')).toBe('401');
  });
});

async function statusOf(): Promise<{ started: string; uptimeSeconds: number }> {
  const { stdout } = await cli(['status', dir, '--json']);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { started: string; uptimeSeconds: number };
}

/** Owner numbers of the directories components own, by path. */
async function ownersOfData(): Promise<Record<string, string>> {
  const text = await inside(dir, ['find', '/srv', '-maxdepth', '3', '-printf', '%p %U:%G\\n']);
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]);
  return Object.fromEntries(rows.filter(([file]) => !/\/(work|builds|logs|temp|db|data|fingerprints|\.cache)\b/.test(file)));
}
