import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundlePrograms } from '../../src/image/programs.ts';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { checkout, extraStacks, fileAt, planOf, realCatalogue, selectReal, textOf } from '../support/real.ts';

const catalogue = realCatalogue(extraStacks);
const given = { extra: ['hello'], options: { hello: { greeting: 'Servus' } } };
let plan: Plan;

beforeAll(async () => {
  const programs = await bundlePrograms(checkout, selectReal(catalogue, given).components);
  plan = planOf(catalogue, given, programs);
});

describe('a component that exists only in a folder of its own', () => {
  it('is known to no line of the generator and the appliance', () => {
    const { stdout } = spawnSync('grep', ['-rilw', 'hello', 'src', 'provision', 'templates', 'stacks', 'start.mjs'], {
      cwd: checkout,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });

  it('joins the stack behind what it needs', () => {
    const names = plan.components.map(({ name }) => name);
    expect(names.indexOf('hello')).toBeGreaterThan(names.indexOf('apache'));
    expect(names.indexOf('hello')).toBeGreaterThan(names.indexOf('ldap'));
  });

  it('gets its account with its fixed number', () => {
    expect(plan.layer.accounts).toContainEqual({ user: 'hello', id: 790, home: '/nonexistent', component: 'hello', joins: [] });
  });

  it('gets its units: the service behind the boot unit, the driver behind its socket', () => {
    expect(fileAt(plan, '/etc/systemd/system/multi-user.target.wants/hello.service')).toMatchObject({
      kind: 'link',
      target: '/usr/lib/systemd/system/hello.service',
    });
    expect(textOf(plan, '/usr/lib/systemd/system/hello.service')).toContain('ExecStart=/usr/bin/node /usr/lib/hello/server.mjs');
    expect(textOf(plan, '/usr/lib/systemd/system/hello.service.d/10-devserver-order.conf')).toContain(
      'Requires=devserver-boot.service',
    );
    expect(textOf(plan, '/usr/lib/systemd/system/devserver-driver-hello.socket')).toContain(
      'ListenStream=/run/devserver/drivers/hello.sock',
    );
    const driver = textOf(plan, '/usr/lib/systemd/system/devserver-driver-hello.service');
    expect(driver).toContain('User=hello');
    expect(driver).toContain('ReadWritePaths=/srv/hello /srv/hello/pages');
  });

  it('gets its blocks at the front, gated until its bootstrap is done', () => {
    const front = textOf(plan, '/etc/apache2/devserver.conf');
    expect(front).toContain('RewriteCond /run/devserver/ready/hello !-f');
    expect(front).toContain('<LocationMatch "^/hello(?:/|$)">');
    expect(front).toContain('<LocationMatch "^/hello/(?<PROJECT>[a-z][a-z0-9-]{1,30}[a-z0-9])(?:/|$)">');
    expect(textOf(plan, '/etc/devserver/apache.d/70-hello.conf')).toContain('ProxyPass /hello ');
  });

  it("is in the appliance's catalogue with option, secret, checks, resources and boot template", () => {
    const inside = JSON.parse(textOf(plan, '/usr/share/devserver/catalogue.json')) as ApplianceCatalogue;
    const hello = inside.components.find(({ name }) => name === 'hello');
    expect(hello).toMatchObject({
      options: { greeting: 'Servus', maxPage: 4096 },
      secrets: { token: { form: 'random', length: 40, group: 'hello' } },
      driver: { as: 'hello', bootstrap: true },
    });
    expect(hello?.boot).toMatchObject([
      { path: '/run/devserver/hello/settings.json', user: 'root', group: 'hello', mode: 0o640, when: 'always' },
    ]);
    expect(hello?.checks.map(({ name }) => name)).toEqual(['running', 'up', 'answers', 'served']);
    expect(hello?.project.map(({ id }) => id)).toEqual(['card']);
    expect(inside.roles.greeting).toMatchObject({ component: 'hello', url: '{site}/hello/{project}' });
  });

  it('gets its driver as one file that any Node.js can read', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'driver-')), 'driver.mjs');
    writeFileSync(file, textOf(plan, '/usr/lib/devserver/driver-hello.mjs'));
    execFileSync(process.execPath, ['--check', file]);
    expect(textOf(plan, '/usr/lib/devserver/driver-hello.mjs')).not.toMatch(/from "(?!node:)/);
  });

  it.each([
    [{ greeting: 'x"y' }, 'options.hello.greeting: hello.greeting: "x\\"y" does not match'],
    [{ greetin: 'x' }, 'options.hello.greetin: hello has no option "greetin" (did you mean greeting?)'],
    [{ maxPage: 4 }, 'options.hello.maxPage: hello.maxPage: 4 is less than 16'],
  ])('has its options checked: %j', (hello, why) => {
    expect(() => planOf(catalogue, { ...given, options: { hello } })).toThrow(
      expect.objectContaining({ exitCode: 3, details: [expect.stringContaining(why)] }),
    );
  });
});
