import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realSystem } from '../../src/kernel/system.ts';
import { type DirectoryServer, startDirectory } from '../support/directory-server.ts';

const oldServer = /slapd 2\.[0-5]\./.test(spawnSync('/usr/sbin/slapd', ['-VV'], { encoding: 'utf8' }).stderr ?? '');
const isRoot = process.getuid?.() === 0;
const missing = ['slapd', 'ldapsearch', 'ip', 'unshare'].filter((program) => realSystem().which(program) === undefined);
const service = { kind: 'service', name: 'front', password: 'front-Passw0rd', memberOf: ['services'], once: false };
const admin = { kind: 'person', name: 'admin', password: 'first-Passw0rd', memberOf: ['admins', 'creators'], once: true };
const people = 'ou=people,dc=devserver';
const dn = (name: string): string => `uid=${name},${people}`;

// uid 710, port 389 and mounts of its own: only root can set that up
describe.skipIf(!isRoot || missing.length > 0)(
  `the directory and its driver (needs root${missing.map((it) => `, ${it}`).join('')})`,
  () => {
    let server: DirectoryServer;
    beforeAll(async () => {
      server = await startDirectory([service, admin]);
    });
    afterAll(() => server?.close());

    const ask = (verb: string, args?: unknown) => server.ask(verb, args);
    const user = (name: string, more: Record<string, unknown> = {}) =>
      ask('apply', { kind: 'user', name, fullName: `${name} Test`, ...more });
    const group = (name: string, members: readonly string[] | 'everyone') => ask('apply', { kind: 'group', name, members });
    const read = (kind: string, name: string) => ask('read', { kind, name }) as Promise<Record<string, string[]> | null>;
    const bind = async (who: string, password: string): Promise<number> =>
      (await server.inside(['ldapwhoami', '-x', '-H', 'ldap://127.0.0.1/', '-D', who, '-w', password])).exitCode;
    const asService = ['-x', '-H', 'ldap://127.0.0.1/', '-D', 'cn=front,ou=services,dc=devserver', '-w', service.password];
    const isMember = async (name: string, of: string): Promise<boolean> =>
      (
        await server.inside([
          'ldapsearch',
          ...asService,
          '-LLL',
          '-b',
          `cn=${of},ou=groups,dc=devserver`,
          `(member=${dn(name)})`,
          'dn',
        ])
      ).stdout.includes('dn: ');
    /** Somebody's hand, with the driver's own rights. */
    const asManager = (program: string): string[] => [program, '-Q', '-Y', 'EXTERNAL', '-H', 'ldapi://%2Frun%2Fslapd%2Fldapi'];
    const ldif = async (records: string): Promise<void> => {
      const piped = ['sh', '-c', `printf '%s' "$1" | ${asManager('ldapmodify').join(' ')}`, 'sh', records];
      expect((await server.inside(piped, 710)).stderr).toBe('');
    };
    const modify = (entry: string, attribute: string, value: string): Promise<void> =>
      ldif(`dn: ${entry}\nchangetype: modify\nreplace: ${attribute}\n${attribute}: ${value}\n`);
    /** As the front asks: 6 is yes, 5 is no, 32 is no such group. */
    const compare = async (who: string, of: string): Promise<number> =>
      (await server.inside(['ldapcompare', ...asService, `cn=${of},ou=groups,dc=devserver`, `member:${who}`])).exitCode;

    it('bootstraps again and again without changing what is there', async () => {
      const before = await ask('list', { kind: 'group' });
      await ask('bootstrap');
      await ask('ping');
      expect(await ask('list', { kind: 'group' })).toEqual(before);
      expect(before).toEqual(['admins', 'creators', 'services', 'users']);
      expect(await isMember('admin', 'admins')).toBe(true);
      expect(await bind(dn('admin'), admin.password)).toBe(0);
      await ask('password', { user: 'admin', old: admin.password, new: 'chosen-Passw0rd' });
      await ask('bootstrap');
      expect(await bind(dn('admin'), 'chosen-Passw0rd')).toBe(0);
    });

    it('applies, reads, lists and removes a user, each as often as asked', async () => {
      expect(await read('user', 'ann')).toBeNull();
      await user('ann', { mail: 'ann@example.org', password: 'ann-Passw0rd' });
      await user('ann', { mail: 'ann@example.org', password: 'ann-Passw0rd' });
      expect(await read('user', 'ann')).toMatchObject({ uid: ['ann'], cn: ['ann Test'], mail: ['ann@example.org'] });
      expect(Object.keys((await read('user', 'ann')) ?? {})).not.toContain('userPassword');
      await user('ann', { fullName: 'Ann Änderung' });
      expect(await read('user', 'ann')).toMatchObject({ cn: ['Ann Änderung'], mail: ['ann@example.org'] });
      await user('ann', { mail: '' });
      expect(await read('user', 'ann')).not.toHaveProperty('mail');
      expect(await bind(dn('ann'), 'ann-Passw0rd')).toBe(0);
      expect(await ask('list', { kind: 'user' })).toEqual(['admin', 'ann']);
      await ask('remove', { kind: 'user', name: 'ann' });
      await ask('remove', { kind: 'user', name: 'ann' });
      expect(await read('user', 'ann')).toBeNull();
      expect(await bind(dn('ann'), 'ann-Passw0rd')).toBe(49);
    });

    it('locks a person out and lets them in again, groups and password kept', async () => {
      await user('eve', { password: 'eve-Passw0rd1' });
      await group('shop.readers', ['eve']);
      await user('eve', { disabled: true });
      await user('eve', { disabled: true });
      expect(await bind(dn('eve'), 'eve-Passw0rd1')).toBe(49);
      expect(await read('user', 'eve')).toMatchObject({ uid: ['eve'] });
      expect(await ask('people', {})).toMatchObject({ people: [{ name: 'admin' }, { name: 'eve', disabled: true }] });
      await user('eve', { disabled: false, fullName: 'Eve Again' });
      expect(await bind(dn('eve'), 'eve-Passw0rd1')).toBe(0);
      expect(await isMember('eve', 'shop.readers')).toBe(true);
      expect(await ask('people', {})).toMatchObject({
        people: [{ name: 'admin' }, { name: 'eve', fullName: 'Eve Again', disabled: false, hasPassword: true }],
        groups: { admins: ['admin'], creators: ['admin'] },
      });
      await user('eve', { disabled: true });
      await ask('remove', { kind: 'user', name: 'eve' });
      expect(await read('user', 'eve')).toBeNull();
      await ask('remove', { kind: 'group', name: 'shop.readers' });
    });

    it('takes a person who goes or is locked out from every group before it answers', async () => {
      const groups = Array.from({ length: 120 }, (_, index) => `cn=many-${index}.readers,ou=groups,dc=devserver`);
      /** One call of a program for all of them. */
      const records = (text: (group: string) => string): Promise<void> => ldif(groups.map(text).join('\n'));
      const holding = async (who: string): Promise<number> => {
        const found = await server.inside(['ldapsearch', ...asService, '-LLL', '-b', 'dc=devserver', `(member=${who})`, 'dn']);
        return found.stdout.split('dn: ').length - 1;
      };
      await user('eve', { password: 'eve-Passw0rd1' });
      await records(
        (of) => `dn: ${of}\nchangetype: add\nobjectClass: groupOfNames\nmember: cn=nobody,dc=devserver\nmember: ${dn('eve')}\n`,
      );
      expect(await holding(dn('eve'))).toBe(groups.length + 1);
      await user('eve', { disabled: true });
      expect(await holding(dn('eve'))).toBe(0);
      await user('eve', { disabled: false });
      expect(await holding(dn('eve'))).toBe(groups.length + 1);
      await ask('remove', { kind: 'user', name: 'eve' });
      expect(await holding(dn('eve'))).toBe(0);
      await records((of) => `dn: ${of}\nchangetype: delete\n`);
    });

    it('knows a person by more than the name', async () => {
      const accountOf = async (name: string): Promise<string | undefined> =>
        ((await ask('people', {})) as { people: { name: string; account: string }[] }).people.find((it) => it.name === name)
          ?.account;
      await user('eve', { password: 'eve-Passw0rd1' });
      const first = await accountOf('eve');
      expect(first).toMatch(/^[0-9a-f-]{36}$/);
      await user('eve', { disabled: true });
      expect(await accountOf('eve')).toBe(first);
      await user('eve', { disabled: false, fullName: 'Eve Renamed', password: 'eve-Passw0rd2' });
      expect(await accountOf('eve')).toBe(first);
      await ask('remove', { kind: 'user', name: 'eve' });
      await user('eve', { password: 'eve-Passw0rd1' });
      expect(await accountOf('eve')).toMatch(/^[0-9a-f-]{36}$/);
      expect(await accountOf('eve')).not.toBe(first);
      await ask('remove', { kind: 'user', name: 'eve' });
    });

    it('adds a person as a whole, or not at all', async () => {
      const added = (password: string): Promise<unknown> => user('eve', { password });
      await expect(added('short')).rejects.toThrow('at least 10 characters');
      expect(await read('user', 'eve')).toBeNull();
      await expect(ask('check', { kind: 'user', name: 'eve', password: 'short' })).rejects.toThrow('at least 10 characters');
      await expect(ask('check', { kind: 'user', name: 'e,ou=x', password: 'eve-Passw0rd1' })).rejects.toThrow('is no user name');
      await ask('check', { kind: 'user', name: 'eve', password: 'eve-Passw0rd1' });
      expect(await read('user', 'eve')).toBeNull();
      // the last step fails: nobody can be put into a group that is not there
      await ask('remove', { kind: 'group', name: 'users' });
      await expect(added('eve-Passw0rd1')).rejects.toThrow();
      expect(await read('user', 'eve')).toBeNull();
      await ask('bootstrap');
      await added('eve-Passw0rd1');
      await expect(user('eve', { fullName: 'Other', password: 'short' })).rejects.toThrow('at least 10 characters');
      expect(await read('user', 'eve')).toMatchObject({ cn: ['eve Test'] });
      expect(await bind(dn('eve'), 'eve-Passw0rd1')).toBe(0);
      await ask('remove', { kind: 'user', name: 'eve' });
    });

    it('applies a group as a whole, and a removed user leaves all groups', async () => {
      for (const name of ['dev', 'rob']) await user(name);
      await group('shop.developers', ['dev', 'rob']);
      expect([await isMember('dev', 'shop.developers'), await isMember('rob', 'shop.developers')]).toEqual([true, true]);
      await group('shop.developers', ['rob']);
      expect([await isMember('dev', 'shop.developers'), await isMember('rob', 'shop.developers')]).toEqual([false, true]);
      await ask('remove', { kind: 'user', name: 'rob' });
      expect(await isMember('rob', 'shop.developers')).toBe(false);
      expect((await read('group', 'shop.developers'))?.member).toEqual(['cn=nobody,dc=devserver']);
      await ask('remove', { kind: 'group', name: 'shop.developers' });
      expect(await isMember('dev', 'shop.developers')).toBe(false);
      await ask('remove', { kind: 'user', name: 'dev' });
    });

    it('knows everyone as a group that follows the people, services not among them', async () => {
      await group('open.internal', 'everyone');
      await group('open.internal', 'everyone');
      expect(await compare(dn('newbie'), 'open.internal')).toBe(5);
      await user('newbie');
      expect(await compare(dn('newbie'), 'open.internal')).toBe(6);
      expect(await compare('cn=front,ou=services,dc=devserver', 'open.internal')).toBe(5);
      await ask('remove', { kind: 'user', name: 'newbie' });
      expect(await compare(dn('newbie'), 'open.internal')).toBe(5);
    });

    it('compares a group with what it would make of it', async () => {
      await user('dora');
      const difference = async (members: readonly string[] | 'everyone'): Promise<unknown> =>
        ask('compare', { kind: 'group', name: 'held.readers', members });
      expect(await difference(['dora'])).toEqual({ present: false });
      await group('held.readers', ['dora']);
      expect(await difference(['dora'])).toEqual({ present: true });
      expect(await difference([])).toEqual({ present: true, differs: 'its members are dora instead of nobody' });
      await user('dora', { disabled: true });
      expect(await difference(['dora'])).toEqual({ present: true });
      expect(await difference('everyone')).toEqual({ present: true, differs: 'it does not follow the people' });
      await group('held.readers', 'everyone');
      expect(await difference('everyone')).toEqual({ present: true });
      expect(await difference(['dora'])).toEqual({ present: true, differs: 'it is no list of people' });
      await modify('cn=held.readers,ou=groups,dc=devserver', 'memberURL', `ldap:///dc=devserver??sub?(objectClass=*)`);
      expect(await difference('everyone')).toEqual({ present: true, differs: 'it is open to others' });
      await group('held.readers', 'everyone');
      expect(await difference('everyone')).toEqual({ present: true });
      await group('held.readers', ['dora']);
      await modify('cn=held.readers,ou=groups,dc=devserver', 'member', 'cn=front,ou=services,dc=devserver');
      expect(await difference(['dora'])).toMatchObject({ differs: expect.stringContaining('cn=front,ou=services') });
      await ask('remove', { kind: 'group', name: 'held.readers' });
      await ask('remove', { kind: 'user', name: 'dora' });
    });

    it('keeps a builder in its own group alone, with its password, and finds whatever is otherwise', async () => {
      const password = 'builder-of-yard-0';
      const builder = { kind: 'service-account', name: 'yard.builder', memberOf: ['yard.builders'] };
      const difference = async (given = password): Promise<unknown> => ask('compare', { ...builder, password: given });
      const apply = (): Promise<unknown> => ask('apply', { ...builder, password });
      const group = 'cn=yard.builders,ou=groups,dc=devserver';
      const own = 'uid=yard.builder,ou=builders,dc=devserver';
      expect(await difference()).toEqual({ present: false });
      expect(await ask('list', { kind: 'service-account' })).toEqual([]);
      for (let times = 0; times < 2; times += 1) await apply();
      expect(await difference()).toEqual({ present: true });
      expect(await ask('compare', builder)).toEqual({ present: true });
      expect(await difference('another-password')).toMatchObject({ differs: expect.stringContaining('password') });
      expect(await ask('list', { kind: 'service-account' })).toEqual(['yard.builder']);

      await modify(group, 'member', `${dn('admin')}\nmember: ${own}`);
      expect(await difference()).toEqual({ present: true, differs: 'admin can do in yard.builders what it alone should' });
      await apply();
      expect((await read('group', 'yard.builders'))?.member).toEqual(['cn=nobody,dc=devserver', own]);
      await modify(group, 'member', 'cn=nobody,dc=devserver');
      expect(await difference()).toEqual({ present: true, differs: 'it is not in the group yard.builders' });
      await server.inside([...asManager('ldapdelete'), own], 710);
      expect(await difference()).toEqual({ present: true, differs: 'only its group is there, it itself is missing' });
      expect(await ask('list', { kind: 'service-account' })).toEqual(['yard.builder']);
      await apply();
      expect(await difference()).toEqual({ present: true });
      // the group goes with it, whoever is in it
      await modify(group, 'member', dn('admin'));
      await ask('remove', { kind: 'service-account', name: 'yard.builder' });
      expect([await difference(), await read('group', 'yard.builders')]).toEqual([{ present: false }, null]);
      await expect(ask('compare', { ...builder, memberOf: ['shop.builders'] })).rejects.toThrow('is no group of yard');
    });

    // beside dynamic groups slapd 2.5 denies every member of a static one; the appliance has 2.6
    it.skipIf(oldServer)('answers a comparison with a static group as the front asks it (needs slapd 2.6)', async () => {
      expect([
        await compare(dn('admin'), 'admins'),
        await compare(dn('nobody'), 'admins'),
        await compare(dn('admin'), 'missing.admins'),
      ]).toEqual([6, 5, 32]);
    });

    it('refuses names that could leave their place, and makes nothing', async () => {
      const names = [
        '',
        'ab',
        '-ab',
        'ab-',
        'Ann',
        'a b',
        'ann\n',
        'ann\0x',
        'ann,ou=groups',
        'ann+uid=admin',
        'ann)(uid=*',
        '../ann',
        'a.b.c',
        'änn',
        'x'.repeat(33),
        7,
        null,
        ['ann'],
        { a: 1 },
      ];
      for (const name of names) {
        for (const args of [
          { kind: 'user', name, fullName: 'X' },
          { kind: 'group', name, members: [] },
          { kind: 'group', name: 'shop.readers', members: [name] },
        ])
          await expect(ask('apply', args)).rejects.toThrow();
        for (const verb of ['read', 'remove']) await expect(ask(verb, { kind: 'user', name })).rejects.toThrow();
      }
      expect(await ask('list', { kind: 'user' })).toEqual(['admin']);
      expect(await read('group', 'shop.readers')).toBeNull();
    });

    it('keeps hostile values as values', async () => {
      const values = [
        'x\nuserPassword: owned',
        'x\n\ndn: uid=evil,ou=people,dc=devserver\nchangetype: add',
        '< file:///etc/shadow',
        ': b3duZWQ=',
        ' leading',
        'trailing ',
        '#',
        '-',
        '\\2a)(uid=*',
        'Zoë 🦊',
      ];
      for (const fullName of values) {
        await user('mal', { fullName });
        expect((await read('user', 'mal'))?.cn).toEqual([fullName]);
      }
      await user('mal', { fullName: 'nul\0inside' }).catch(() => undefined);
      expect(await ask('list', { kind: 'user' })).toEqual(['admin', 'mal']);
      expect(await bind(dn('mal'), 'owned')).toBe(49);
      await expect(user('mal', { fullName: 'x', extra: 'y' })).rejects.toThrow();
      await expect(user('mal', { mail: 'no address' })).rejects.toThrow();
    });

    it('changes a password for whoever knows the present one', async () => {
      await user('pat', { password: 'first-Passw0rd' });
      const change = (old: unknown, fresh: unknown) => ask('password', { user: 'pat', old, new: fresh });
      await expect(change('wrong', 'second-Passw0rd')).rejects.toThrow('The present password is not right.');
      await expect(change('', 'second-Passw0rd')).rejects.toThrow('The present password is not right.');
      await expect(change('first-Passw0rd', 'short')).rejects.toThrow('at least 10 characters');
      await expect(change('first-Passw0rd', 'x'.repeat(201))).rejects.toThrow('too long');
      await expect(change(['first-Passw0rd'], 'second-Passw0rd')).rejects.toThrow();
      await expect(ask('password', { user: 'nobody-here', old: 'x', new: 'second-Passw0rd' })).rejects.toThrow(
        'The present password is not right.',
      );
      for (const [old, fresh] of [
        ['first-Passw0rd', 'ä"\' $(id) \\ 🦊 <x>'],
        ['ä"\' $(id) \\ 🦊 <x>', ' blanks around it '],
        [' blanks around it ', '-y /etc/passwd'],
      ] as const) {
        await change(old, fresh);
        expect([await bind(dn('pat'), fresh), await bind(dn('pat'), old)]).toEqual([0, 49]);
      }
    });

    it('takes many at once and loses nobody', async () => {
      const names = Array.from({ length: 12 }, (_, index) => `many-${String.fromCharCode(97 + index)}x`);
      await Promise.all(names.map((name) => user(name)));
      const users = await read('group', 'users');
      expect(users?.member).toEqual(expect.arrayContaining(names.map(dn)));
    });

    it('shows nothing to strangers, to root, or of other people to a person', async () => {
      const search = (how: readonly string[], uid = 0) =>
        server.inside(['ldapsearch', '-LLL', '-b', 'dc=devserver', ...how, '(objectClass=*)'], uid);
      expect((await search(['-x', '-H', 'ldap://127.0.0.1/'])).exitCode).not.toBe(0);
      const ldapi = ['-Q', '-Y', 'EXTERNAL', '-H', 'ldapi://%2Frun%2Fslapd%2Fldapi'];
      expect((await search(ldapi)).stdout).not.toContain('dn:');
      expect((await search(ldapi, 33)).stdout).not.toContain('dn:');
      expect((await search(['-x', '-H', 'ldap://127.0.0.1/', '-D', dn('pat'), '-w', '-y /etc/passwd'])).stdout).not.toMatch(
        /uid=admin|userPassword/,
      );
      const shown = await search(asService);
      expect(shown.stdout).toContain('dn: uid=admin,ou=people,dc=devserver');
      expect(shown.stdout).not.toContain('userPassword');
    });
  },
);
