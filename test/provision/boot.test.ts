import { lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeBootFiles } from '../../provision/boot/boot-files.ts';
import { directoryAccountsFile, writeDirectoryAccounts } from '../../provision/boot/directory-accounts.ts';
import { readOwners } from '../../provision/boot/owners.ts';
import { ensureSecrets, randomText } from '../../provision/boot/secrets.ts';
import { makeStateDirs } from '../../provision/boot/state-dirs.ts';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { applianceCatalogue, applianceComponent } from '../support/appliance.ts';

const root = vi.hoisted(() => `/tmp/devserver-boot-${process.pid}`);
vi.mock('../../src/kernel/appliance.ts', async (original) => {
  const { pathsBelow } = await import('../support/paths-below.ts');
  const real = await original<typeof import('../../src/kernel/appliance.ts')>();
  return { ...real, appliancePaths: pathsBelow(root, real.appliancePaths) };
});

const site = { hostname: 'h', url: 'https://h', timezone: 'Etc/UTC', urlHost: 'h', urlAuthority: 'h' };
const target = path.join(root, 'etc/hello.xml');
const bootFile = {
  path: target,
  template: '<a g="{{options.greeting}}">{{secret.ldap}} {{site.url}}</a>',
  templateName: 'hello/boot/etc/hello.xml.hbs',
  user: 'hello',
  group: 'web',
  mode: 0o640,
  when: 'always',
} as const;
const hello = applianceComponent(
  {
    name: 'hello',
    secrets: {
      ldap: { serviceAccount: 'hello-login', group: 'web', memberOf: ['services'] },
      key: { form: 'ssh-key' },
      ca: { form: 'x509-ca' },
      tls: { form: 'x509', issuer: 'ca', group: 'web' },
    },
    state: [{ dir: `${root}/srv/hello`, as: 'hello', group: 'web', mode: '0750' }],
  },
  { options: { greeting: '"<&' }, boot: [bootFile] },
);
const users = applianceComponent(
  { name: 'users', provides: ['directory'] },
  { driver: { as: 'hello', bootstrap: true, offers: ['service-account'], socket: '/x' } },
);
const catalogue = applianceCatalogue([hello, users]);

function owners() {
  mkdirSync(path.join(root, 'etc'), { recursive: true });
  writeFileSync(path.join(root, 'etc/passwd'), 'root:x:0:0:::\nhello:x:790:790:::\n');
  writeFileSync(path.join(root, 'etc/group'), 'root:x:0:\nhello:x:790:\nweb:x:791:hello\n');
  return readOwners(root);
}
const ownership = (file: string): string => {
  const { uid, gid, mode } = statSync(file);
  return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
};
const secret = (name: string): string => path.join(appliancePaths.secrets, 'hello', name);

beforeEach(() => rmSync(root, { recursive: true, force: true }));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('owners', () => {
  it('are numbers of the system disk, and an unknown name is an error', () => {
    expect(owners().uid('hello')).toBe(790);
    expect(owners().gid('web')).toBe(791);
    expect(() => owners().uid('nobody')).toThrow('this appliance has no user nobody');
  });
});

describe.runIf(process.getuid?.() === 0)('a boot, as root', () => {
  it('makes every secret once, for its group alone', async () => {
    await ensureSecrets(catalogue, site, owners(), realSystem());
    expect(ownership(secret('ldap'))).toBe('0:791 640');
    expect(readFileSync(secret('ldap'), 'utf8')).toMatch(/^[A-Za-z0-9]{32}$/);
    expect([ownership(secret('key')), ownership(secret('tls.key')), ownership(secret('ca.key'))]).toEqual([
      '0:0 600',
      '0:791 640',
      '0:0 600',
    ]);
    const before = ['ldap', 'key', 'ca.crt', 'tls.crt'].map((name) => readFileSync(secret(name), 'utf8'));
    await ensureSecrets(catalogue, site, owners(), realSystem());
    expect(['ldap', 'key', 'ca.crt', 'tls.crt'].map((name) => readFileSync(secret(name), 'utf8'))).toEqual(before);
  });

  it('renders boot files with owner, mode and escaping; "absent" ones only once', async () => {
    await ensureSecrets(catalogue, site, owners(), realSystem());
    writeBootFiles(catalogue, site, owners());
    expect(ownership(target)).toBe('790:791 640');
    expect(readFileSync(target, 'utf8')).toBe(`<a g="&quot;&lt;&amp;">${readFileSync(secret('ldap'), 'utf8')} https://h</a>`);
    writeFileSync(target, 'changed by the service');
    writeBootFiles(applianceCatalogue([{ ...hello, boot: [{ ...bootFile, when: 'absent' }] }]), site, owners());
    expect(readFileSync(target, 'utf8')).toBe('changed by the service');
    writeBootFiles(catalogue, site, owners());
    expect(readFileSync(target, 'utf8')).toContain('https://h');
  });

  it('replaces a link where a boot file belongs instead of writing through it', async () => {
    await ensureSecrets(catalogue, site, owners(), realSystem());
    writeFileSync(path.join(root, 'shadow'), 'untouched');
    symlinkSync(path.join(root, 'shadow'), target);
    writeBootFiles(catalogue, site, owners());
    expect(readFileSync(path.join(root, 'shadow'), 'utf8')).toBe('untouched');
    expect(lstatSync(target).isFile()).toBe(true);
  });

  it('makes state directories, keeps what is inside, and refuses a link in their place', () => {
    const dir = path.join(root, 'srv/hello');
    makeStateDirs(catalogue, owners());
    writeFileSync(path.join(dir, 'data'), 'x');
    makeStateDirs(catalogue, owners());
    expect([ownership(dir), ownership(path.join(dir, 'data')).split(' ')[0]]).toEqual(['790:791 750', '0:0']);
    rmSync(dir, { recursive: true });
    symlinkSync('/etc', dir);
    expect(() => makeStateDirs(catalogue, owners())).toThrow(/is no directory/);
    expect(statSync('/etc').uid).toBe(0);
  });

  it('hands services and the first administrator to the directory, in a file for its driver alone', async () => {
    await ensureSecrets(catalogue, site, owners(), realSystem());
    const told: string[] = [];
    writeDirectoryAccounts(catalogue, undefined, owners(), (text) => told.push(text));
    writeDirectoryAccounts(catalogue, undefined, owners(), (text) => told.push(text));
    // shown when it is made and never again; the second boot hands on the same one
    expect(told).toHaveLength(1);
    expect(ownership(directoryAccountsFile)).toBe('790:0 400');
    const accounts = JSON.parse(readFileSync(directoryAccountsFile, 'utf8')) as { name: string; password: string }[];
    expect(accounts).toMatchObject([
      {
        kind: 'service',
        name: 'hello-login',
        password: readFileSync(secret('ldap'), 'utf8'),
        memberOf: ['services'],
        once: false,
      },
      { kind: 'person', name: 'admin', memberOf: ['admins', 'creators'], once: true },
    ]);
    expect(told[0]).toContain(accounts[1]?.password);
  });
});

describe('a random secret', () => {
  it('has its length, every kind of character, and nothing that looks like another', () => {
    for (let round = 0; round < 50; round += 1) expect(randomText(16)).toMatch(/^(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[^IlO01]{16}$/);
  });
});
