import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { select } from '../../src/plan/select.ts';
import { answersWith, catalogueOf, faultsOf, type StacksFixture } from '../support/stacks.ts';

const told = (fixture: StacksFixture): string[] => {
  const catalogue = catalogueOf(fixture);
  return faultsOf(() => select(catalogue, answersWith()));
};

describe('the rules over files', () => {
  it('tell two components that write one path, at build or at boot', () => {
    const files = { 'components/a/files/etc/x.conf.hbs': '', 'components/b/boot/etc/x.conf': '', 'components/b/files/etc/y': '' };
    expect(told({ components: { a: {}, b: {} }, files })).toEqual([
      'components/b/boot/etc/x.conf:1:1: /etc/x.conf is already written by a',
    ]);
  });

  it('tell a link where another component writes, and a link that is not named as data', () => {
    const a = { install: { links: { '/etc/x': 'y' } } };
    expect(told({ components: { a, b: {} }, files: { 'components/b/files/etc/x': '' } })).toEqual([
      'components/b/files/etc/x:1:1: /etc/x is already written by a',
    ]);
    const catalogue = catalogueOf({ components: { a: {} }, files: { 'components/a/files/etc/y': '' } });
    const { folder } = catalogue.components.get('a') as { folder: string };
    symlinkSync('/etc/passwd', path.join(folder, 'files/etc/x'));
    expect(() => select(catalogue, answersWith())).toThrow(/files\/etc\/x is not a file/);
  });

  it("tell a file of the system's own, and one that would never be seen", () => {
    const files = ['etc/passwd.hbs', 'etc/ssh/ssh_host_rsa_key', 'run/x', 'srv/x', 'etc/passwd.d/fine'];
    const a = { install: { links: { '/etc/shadow': '/srv/shadow' } } };
    const fixture = { components: { a }, files: Object.fromEntries(files.map((it) => [`components/a/files/${it}`, ''])) };
    expect(told(fixture).map((line) => line.replace(/^[^ ]+ /, ''))).toEqual([
      "/etc/passwd is the system's own",
      "/etc/ssh/ssh_host_rsa_key is the system's own",
      '/run/x would be lost: /run/ is not for files of the system disk',
      '/srv/x would be lost: /srv/ is not for files of the system disk',
      "/etc/shadow is the system's own",
    ]);
  });

  it('tell a mode for a file that is not there', () => {
    const [fault] = told({
      components: { a: { modes: { '/etc/kye': { mode: '0600' } } } },
      files: { 'components/a/files/etc/key': '' },
    });
    expect(fault).toMatch(/neither files\/ nor boot\/ holds \/etc\/kye \(did you mean \/etc\/key\?\)$/);
  });

  it("keep the front's login out of other components' snippets", () => {
    const front = {
      dropins: { '/etc/front.d/': { what: 'how a path is served', refuse: ['^\\s*AuthLDAP'] }, '/etc/free.d/': 'anything' },
    };
    const files = {
      'components/b/files/etc/front.d/10-b.conf':
        'ProxyPass /b http://127.0.0.1\n  authldapurl "ldap://evil"\n# no AuthLDAPURL here\n',
      'components/b/files/etc/free.d/b.conf': 'AuthLDAPURL x\n',
    };
    expect(told({ components: { a: front, b: {} }, files })).toEqual([
      'components/b/files/etc/front.d/10-b.conf:2:1: files in /etc/front.d/ may not hold ^\\s*AuthLDAP',
    ]);
  });

  it('tell a driver without a program, a program without a driver, and a check that asks a missing one', () => {
    const account = { accounts: [{ user: 'a', id: 790 }] };
    const components = {
      a: { ...account, driver: { as: 'a' } },
      b: {},
      c: {
        checks: [{ name: 'up', driver: 'ping', hint: 'h' }],
        backup: { system: { key: '/srv/c' }, verify: [{ root: 'key', run: ['/usr/bin/true'] }] },
      },
    };
    const files = { 'components/b/driver.ts': '', 'components/d/driver.ts': '', 'components/d/driver.py': '' };
    const sentences = told({ components: { ...components, d: {} }, files }).map((line) => line.replace(/^[^ ]+ /, ''));
    expect(sentences).toEqual([
      'there is neither driver.ts nor driver.py',
      'there is a driver.ts, but no driver: says as which account it runs',
      'this component has no driver, as whose account it could run',
      'this component has no driver',
      'there are both driver.ts and driver.py',
    ]);
  });
});
