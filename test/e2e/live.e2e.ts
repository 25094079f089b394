import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { layOutJob, layOutRepository } from './support/apps.ts';
import { Clients, type CurlRequest } from './support/clients.ts';
import { layOutProject, type TestProject } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);
const rounds = 20;
/** A person and a project of this file's own: others keep theirs as they were laid out. */
const moe = 'moe';
const live: TestProject = { name: 'live', internal: false, archived: false, members: {} };
const password = 'moe-Passw0rd';
const reads: readonly string[] = [
  '/svn/live/',
  '/hg/live',
  '/trac/live/about',
  '/git/live.git/info/refs?service=git-upload-pack',
];
const fronts: readonly string[] = [...reads, '/archiva/repository/live/', '/hudson/job/live/'];
let session: Session;

const apply = (args: object): Promise<unknown> => session.driver('ldap', 'apply', args);
const members = (role: string, names: readonly string[]): Promise<unknown> =>
  apply({ kind: 'group', name: `live.${role}s`, members: names });
const marker = (name: string, present: boolean): Promise<unknown> =>
  present
    ? apply({ kind: 'group', name: `live.${name}`, members: 'everyone' })
    : session.driver('ldap', 'remove', { kind: 'group', name: `live.${name}` });
const makeMoe = (): Promise<unknown> => apply({ kind: 'user', name: moe, fullName: 'Moe Tester', password });

function status(request: CurlRequest, secret = password): Promise<number> {
  return clients.status({ login: `${moe}:${secret}`, ...request });
}

/** The codes of all these reads, all asked at once so that several processes of the web server answer. */
async function codes(paths: readonly string[]): Promise<number[]> {
  return Promise.all(paths.map((path) => status({ path })));
}

/** Changes something back and forth, asks at once after each change, and lists the answers that came too late. */
async function flip(
  change: (on: boolean) => Promise<unknown>,
  ask: () => Promise<number[]>,
  want: (on: boolean) => number,
): Promise<string[]> {
  const wrong: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const on of [true, false]) {
      await change(on);
      const got = await ask();
      if (got.some((code) => code !== want(on))) wrong.push(`round ${round}, ${on ? 'on' : 'off'}: ${got.join(' ')}`);
    }
  }
  return wrong;
}

describe('at the very next request', () => {
  beforeAll(async () => {
    session = openSession(appliance.dir);
    await makeMoe();
    if ((await session.tryRun(['test', '-e', '/srv/trac/live/VERSION'])).exitCode !== 0) await layOutProject(appliance.dir, live);
    await layOutRepository(session, live);
    await layOutJob(session, live);
  });
  beforeEach(async () => {
    await makeMoe();
    for (const role of ['admin', 'developer', 'reader']) await members(role, []);
    await marker('internal', false);
    await marker('active', true);
  });
  afterAll(async () => {
    await session.driver('ldap', 'remove', { kind: 'user', name: moe });
    await session.close();
  });

  it.each(['reader', 'developer', 'admin'])(`a %s who came or went counts, ${rounds} times`, async (role) => {
    expect(
      await flip(
        (on) => members(role, on ? [moe] : []),
        () => codes(reads),
        (on) => (on ? 200 : 403),
      ),
    ).toEqual([]);
  });

  it(`internal or not counts, ${rounds} times`, async () => {
    expect(
      await flip(
        (on) => marker('internal', on),
        () => codes(reads),
        (on) => (on ? 200 : 403),
      ),
    ).toEqual([]);
  });

  it(`archived or not counts for writes and not for reads, ${rounds} times`, async () => {
    await members('developer', [moe]);
    const writes = (): Promise<number[]> =>
      Promise.all([
        status({ path: '/git/live.git/info/refs?service=git-receive-pack' }),
        // any POST is a write to the front
        status({ path: '/hg/live?cmd=heads', method: 'POST', headers: ['Content-Length: 0'] }),
      ]);
    expect(
      await flip(
        (on) => marker('active', on),
        writes,
        (on) => (on ? 200 : 403),
      ),
    ).toEqual([]);
    await marker('active', false);
    expect(await codes(reads)).toEqual(reads.map(() => 200));
  });

  it('a role given up for a lower one counts', async () => {
    const write = { path: '/git/live.git/info/refs?service=git-receive-pack' };
    for (let round = 0; round < 5; round += 1) {
      await members('developer', [moe]);
      expect(await status(write)).toBe(200);
      await members('developer', []);
      await members('reader', [moe]);
      expect([await status(write), ...(await codes(reads))]).toEqual([403, ...reads.map(() => 200)]);
      await members('reader', []);
    }
  });

  it('a deleted user is refused at the projects, and everywhere a few seconds later', async () => {
    await members('developer', [moe]);
    expect(await codes(reads)).toEqual(reads.map(() => 200));
    await marker('internal', true);
    await session.driver('ldap', 'remove', { kind: 'user', name: moe });
    expect((await codes(fronts)).filter((code) => code !== 401 && code !== 403)).toEqual([]);
    expect(
      await secondsUntil(async () => (await codes(['/', '/password', '/archiva/', '/hudson/'])).every((code) => code === 401)),
    ).toBeLessThan(15);
    // the name comes back without what it had
    await marker('internal', false);
    await makeMoe();
    expect((await codes(fronts)).filter((code) => code !== 403)).toEqual([]);
  });
});

describe('the page /password', () => {
  const form = (fields: Record<string, string>): Pick<CurlRequest, 'body' | 'method' | 'path'> => ({
    method: 'POST',
    path: '/password',
    body: new URLSearchParams(fields).toString(),
  });
  const from = (...headers: string[]): string[] => ['Content-Type: application/x-www-form-urlencoded', ...headers];
  const ours = from(`Origin: ${appliance.url}`);
  const fresh = 'another-Passw0rd';
  const good = { old: password, new: fresh, again: fresh };

  beforeAll(async () => {
    session = openSession(appliance.dir);
    await makeMoe();
  });
  afterAll(async () => {
    await session.driver('ldap', 'remove', { kind: 'user', name: moe });
    clients.remove();
    await session.close();
  });

  it('shows a form to its user and asks a stranger for a login', async () => {
    const { status: code, body } = await clients.curl({ path: '/password', login: `${moe}:${password}` });
    expect({ code, form: /<form[^>]*method="post"/i.test(body) }).toEqual({ code: 200, form: true });
    expect(await clients.status({ ...form(good), headers: ours })).toBe(401);
  });

  it.each([
    ['no word of where it comes from', from()],
    ['a foreign origin', from('Origin: https://evil.example')],
    ['an opaque origin', from('Origin: null')],
    ['an origin that begins like ours', from(`Origin: ${appliance.url}.evil.example`)],
    ['our origin over HTTP', from(`Origin: ${appliance.url.replace('https', 'http')}`)],
    ['a browser that says cross-site', from('Sec-Fetch-Site: cross-site', `Origin: ${appliance.url}`)],
    ['a browser that says same-site', from('Sec-Fetch-Site: same-site', `Origin: ${appliance.url}`)],
    ['a browser that says none', from('Sec-Fetch-Site: none')],
  ])('refuses a change with %s', async (_what, headers) => {
    expect(await status({ ...form(good), headers })).toBe(403);
  });

  it.each([
    ['the present password wrong', { ...good, old: 'wrong-Passw0rd' }],
    ['the present password empty', { ...good, old: '' }],
    ['the new one typed differently', { ...good, again: `${fresh}x` }],
    ['a short new one', { ...good, new: 'short', again: 'short' }],
    ['an endless new one', { ...good, new: 'x'.repeat(300), again: 'x'.repeat(300) }],
    ['nothing at all', {}],
  ])('takes no change with %s, and says so', async (_what, fields) => {
    expect(await status({ ...form(fields as Record<string, string>), headers: ours })).toBe(400);
  });

  it('changes nobody else, whatever headers and fields claim', async () => {
    const claims = [...ours, 'X-Remote-User: dev', 'Remote-User: dev'];
    expect(await status({ ...form({ ...good, user: 'dev', old: 'dev-Passw0rd' }), headers: claims })).toBe(400);
    expect(await clients.status({ path: '/', as: 'dev' })).toBe(200);
    expect(await clients.status({ path: '/', login: `dev:${fresh}` })).toBe(401);
  });

  it('changes it: the old password is refused within 15 seconds, even if nobody has used the new one', async () => {
    // the web server remembers this login
    expect(await status({ path: '/' })).toBe(200);
    expect(await status({ ...form(good), headers: ours })).toBe(200);
    expect(await secondsUntil(async () => (await status({ path: '/svn/' })) === 401)).toBeLessThan(15);
    expect(await status({ path: '/' }, fresh)).toBe(200);
  });

  it('changes it back: the new password works at once, and from then on the old one does not', async () => {
    expect(await status({ path: '/' }, fresh)).toBe(200);
    expect(await status({ ...form({ old: fresh, new: password, again: password }), headers: ours }, fresh)).toBe(200);
    expect(await status({ path: '/' }, password)).toBe(200);
    expect(await status({ path: '/' }, fresh)).toBe(401);
  });

  it('takes a password of other letters and signs', async () => {
    const odd = 'Pässwörd: "&=+% \\ ✓ {x}';
    expect(await status({ ...form({ old: password, new: odd, again: odd }), headers: ours })).toBe(200);
    expect(await status({ path: '/' }, odd)).toBe(200);
    expect(await status({ ...form({ old: odd, new: password, again: password }), headers: ours }, odd)).toBe(200);
  });
});

async function secondsUntil(isSo: () => Promise<boolean>): Promise<number> {
  const begun = performance.now();
  while (!(await isSo())) {
    if (performance.now() - begun > 60_000) break;
    await sleep(1000);
  }
  return (performance.now() - begun) / 1000;
}
