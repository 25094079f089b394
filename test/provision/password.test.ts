import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../../provision/audit/entry.ts';
import { frontPage } from '../../provision/daemon/pages.ts';
import { changePassword, showPasswordForm } from '../../provision/daemon/password.ts';
import type { Request } from '../../provision/daemon/server.ts';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { applianceCatalogue, applianceComponent } from '../support/appliance.ts';
import { type HandedSocket, startOnSocket } from '../support/handed-socket.ts';

const root = vi.hoisted(() => `/tmp/devserver-password-${process.pid}`);
vi.mock('../../src/kernel/appliance.ts', async (original) => {
  const { pathsBelow } = await import('../support/paths-below.ts');
  const real = await original<typeof import('../../src/kernel/appliance.ts')>();
  return { ...real, appliancePaths: pathsBelow(root, real.appliancePaths) };
});

const directoryDriver = `
  import { DriverError, serveDriver } from '/src/kernel/driver-kit.ts';
  let current = 'old-secret';
  serveDriver({
    password: async ({ user, old, new: fresh }) => {
      if (user !== 'ann' || old !== current) throw new DriverError('The present password is not right.');
      current = fresh;
    },
  });
`;

const told: AuditEntry[] = [];
let driver: HandedSocket;
let catalogue: ReturnType<typeof applianceCatalogue>;
let change: ReturnType<typeof changePassword>;
beforeAll(async () => {
  mkdirSync(path.dirname(appliancePaths.site), { recursive: true });
  writeFileSync(
    appliancePaths.site,
    JSON.stringify({ hostname: 'dev', url: 'https://dev.example.org:8443', timezone: 'Etc/UTC' }),
  );
  driver = await startOnSocket(directoryDriver);
  catalogue = applianceCatalogue([
    applianceComponent(
      { name: 'users', provides: ['directory'] },
      { driver: { as: 'u', bootstrap: false, offers: [], socket: driver.socket } },
    ),
  ]);
  let clock = 0;
  // a minute between any two
  change = changePassword(
    catalogue,
    async (entry) => void told.push(entry),
    () => {
      clock += 60_000;
      return clock;
    },
  );
});
afterAll(async () => {
  await driver.close();
  rmSync(root, { recursive: true, force: true });
});

const own = { 'sec-fetch-site': 'same-origin' };
const post = (
  form: Record<string, string>,
  headers: Request['headers'] = own,
  user: string | undefined = 'ann',
  to: typeof change = change,
) =>
  to({
    ...{ method: 'POST', path: '/password', user, headers, body: new URLSearchParams(form).toString() },
    ...{ params: {}, query: new URLSearchParams() },
  });
const form = (old: string, fresh: string, again = fresh) => ({ old, new: fresh, again });

describe('the password form', () => {
  it('is for people who have logged in', async () => {
    const request = { method: 'GET', path: '/password', headers: {}, body: '', params: {}, query: new URLSearchParams() };
    expect((await showPasswordForm({ ...request, user: undefined })).status).toBe(401);
    expect((await change({ ...request, user: undefined })).status).toBe(401);
    expect(await showPasswordForm({ ...request, user: 'ann' })).toMatchObject({
      status: 200,
      body: expect.stringContaining('<strong>ann</strong>') as string,
    });
  });

  it.each([
    ['a cross-site request', { 'sec-fetch-site': 'cross-site' }],
    ['a request of a sister host', { 'sec-fetch-site': 'same-site', origin: 'https://dev.example.org:8443' }],
    ['a foreign origin', { origin: 'https://evil.example.org' }],
    ['the same host on another port', { origin: 'https://dev.example.org' }],
    ['an opaque origin', { origin: 'null' }],
    ['a foreign origin, whatever else it claims', { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example.org' }],
    ['two origins', { 'sec-fetch-site': 'same-origin', origin: 'https://dev.example.org:8443, https://evil.example.org' }],
    ['a request that says nothing', {}],
  ])('refuses %s', async (_what, headers) => {
    expect(await post(form('old-secret', 'evil-secret'), headers)).toMatchObject({ status: 403 });
    expect(await post(form('evil-secret', 'x'))).toMatchObject({ status: 400 });
  });

  it('shows what the directory refused, and a new password typed in two ways', async () => {
    expect(await post(form('wrong', 'new-secret'))).toMatchObject({
      status: 400,
      body: expect.stringContaining('The present password is not right.') as string,
    });
    expect(await post(form('old-secret', 'one', 'two'))).toMatchObject({
      status: 400,
      body: expect.stringContaining('not typed the same way twice') as string,
    });
    expect((await post({})).status).toBe(400);
  });

  it('changes the own password, from this site or with its origin', async () => {
    expect(await post(form('old-secret', 'new-secret'))).toMatchObject({
      status: 200,
      body: expect.stringContaining('Your password is changed.') as string,
    });
    expect((await post(form('new-secret', 'third-secret'), { origin: 'https://dev.example.org:8443' })).status).toBe(200);
    expect((await post(form('third-secret', 'x'), own, 'rob')).status).toBe(400);
  });

  it('lets nobody guess: so many tries of one person, so many of all, and no more until later', async () => {
    let clock = 0;
    const limited = changePassword(
      catalogue,
      async () => {},
      () => clock,
    );
    const tried = (user: string) => post(form('guess', 'new-secret'), own, user, limited);
    for (let tries = 0; tries < 10; tries += 1) expect((await tried('eve')).status).toBe(400);
    expect(await tried('eve')).toMatchObject({
      status: 429,
      headers: { 'Retry-After': '12' },
      body: expect.stringMatching(
        /class="message".*Too many tries\. Your password is as it was; try again in 12 seconds\./,
      ) as string,
    });
    // not the right one either: that would tell it
    expect((await post(form('third-secret', 'new-secret'), own, 'eve', limited)).status).toBe(429);
    expect((await tried('bob')).status).toBe(400);
    clock = 12_000;
    expect([(await tried('eve')).status, (await tried('eve')).status]).toEqual([400, 429]);
    const ends = [];
    for (let person = 0; person < 70; person += 1) ends.push((await tried(`user-${person}`)).status);
    expect(ends.filter((it) => it === 400).length).toBeGreaterThan(55);
    expect(ends.slice(-5)).toEqual([429, 429, 429, 429, 429]);
  });

  it('does not count what asks the directory nothing', async () => {
    const limited = changePassword(
      catalogue,
      async () => {},
      () => 0,
    );
    for (let tries = 0; tries < 20; tries += 1)
      expect((await post(form('x', 'one', 'two'), own, 'eve', limited)).status).toBe(400);
    expect((await post(form('x', 'same'), own, 'eve', limited)).status).toBe(400);
  });

  it('tells the audit log each try, and never a password', async () => {
    told.length = 0;
    await post(form('third-secret', 'fourth-secret'));
    await post(form('wrong-secret', 'fifth-secret'));
    await post(form('fourth-secret', 'evil-secret'), { 'sec-fetch-site': 'cross-site' });
    const about = { who: 'ann', what: 'password change', to: 'ann' };
    expect(told).toEqual([
      { ...about, result: 'done' },
      { ...about, result: 'refused: 400 The present password is not right.' },
      { ...about, result: 'refused: 403 this request came from another site' },
    ]);
  });

  it('never shows a password or a name as markup', async () => {
    const page = await post(form('<old>', '<b>new</b>'), own, '"><script>');
    expect(page.body).not.toMatch(/<script>|<b>new|<old>/);
    expect(page.body).toContain('&quot;&gt;&lt;script&gt;');
  });
});

describe('the front page', () => {
  it('shows components with state, warnings and what to do, escaped', () => {
    const component = {
      name: 'x',
      title: 'X & Co',
      summary: 's',
      retired: true,
      state: 'failing',
      reason: '<down>',
      hint: 'journalctl -u x',
      links: [{ title: 'X', path: '/x' }],
    } as const;
    const { status, body } = frontPage(
      {
        ready: false,
        name: 'dev',
        hostname: 'h',
        url: 'https://h/',
        base: 'b',
        components: [component],
        warnings: [{ urgent: true, text: '/srv is 96 % full', hint: 'enlarge' }],
      },
      'ann',
    );
    expect(status).toBe(200);
    for (const part of [
      'X &amp; Co',
      'retired upstream',
      '&lt;down&gt;',
      'journalctl -u x',
      'href="/x"',
      '/srv is 96 % full',
      'ann',
    ])
      expect(body).toContain(part);
  });
});
