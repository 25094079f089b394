import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Clients } from './support/clients.ts';
import { type Devserver, devserverIn, findingsAbout } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);
const first = 'first-Passw0rd';
const second = 'second-Passw0rd';
let session: Session;

const devserver: Devserver['ask'] = (...args) => devserverIn(session).ask(...args);
const must: Devserver['must'] = (...args) => devserverIn(session).must(...args);
const input = (text: string, ...args: string[]) => session.tryRun(['devserver', ...args], text);
const imported = async (list: string) => {
  await session.run(['tee', '/run/people.yaml'], list);
  return session.tryRun(['devserver', 'user', 'import', '/run/people.yaml']);
};
const added = async (name: string, password: string): Promise<void> => {
  const { exitCode, stderr } = await input(password, 'user', 'add', name, '--password-file', '-');
  expect(exitCode, stderr).toBe(0);
};

beforeAll(async () => {
  session = openSession(appliance.dir);
  await added('pe-bob', first);
});
afterAll(async () => {
  await devserver('project', 'delete', 'pe-shop', '--yes');
  for (const name of ['pe-ann', 'pe-bob', 'pe-eve']) await devserver('user', 'remove', name);
  await session.run(['rm', '-f', '/run/people.yaml']);
  clients.remove();
  await session.close();
});

describe('a name that is given again', () => {
  it('brings nothing of a deleted project to somebody new, by any way', async () => {
    await added('pe-ann', first);
    await must('newproject', 'pe-shop', '--member', 'pe-ann:admin', '--member', 'pe-bob');
    const codes = (login: string): Promise<number[]> =>
      Promise.all(
        ['/git/pe-shop.git/info/refs?service=git-upload-pack', '/trac/pe-shop', '/hudson/job/pe-shop/'].map(
          async (path) => (await clients.curl({ path, login })).status,
        ),
      );
    expect(await codes(`pe-ann:${first}`)).toEqual([200, 200, 200]);
    await must('project', 'delete', 'pe-shop', '--yes');
    await must('user', 'remove', 'pe-ann');
    await added('pe-ann', second);
    expect(await must('project', 'undelete', 'pe-shop')).toMatchObject({
      dropped: ['pe-ann'],
      project: { members: { 'pe-bob': 'developer' } },
    });
    expect(await codes(`pe-ann:${second}`)).toEqual([403, 403, 403]);
    expect(await codes(`pe-bob:${first}`)).toEqual([200, 200, 200]);
    expect(await findingsAbout(devserverIn(session), 'pe-shop')).toEqual([]);
  });
});

describe('people', () => {
  it('are added whole or not at all, and imported all or none', async () => {
    expect(await input('short', 'user', 'add', 'pe-eve', '--password-file', '-')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('at least 10 characters') as string,
    });
    expect((await devserver('user', 'show', 'pe-eve')).exitCode).toBe(2);
    const list = '- {name: pe-eve}\n- {name: archiva-driver}\n- {name: pe-bob}\n- {name: pe-eve, password: short}\n';
    const { exitCode, stderr } = await imported(list);
    expect([exitCode, stderr]).toEqual([
      3,
      [
        'devserver: 4 faults in the data',
        '  /run/people.yaml:2:4: the name archiva-driver is reserved',
        '  /run/people.yaml:3:4: there is already a user pe-bob',
        '  /run/people.yaml:4:4: pe-eve stands in line 1 already',
        '  /run/people.yaml:4:4: The new password needs at least 10 characters.',
        '',
      ].join('\n'),
    ]);
    expect((await devserver('user', 'show', 'pe-eve')).exitCode).toBe(2);
    expect((await imported('- {name: pe-eve}\n')).exitCode).toBe(0);
  });
});

describe('a browser of somebody who is logged in', () => {
  it.each([
    ['a foreign origin', ['Origin: https://evil.example'], 403],
    ['a foreign origin and a header that says otherwise', ['Origin: https://evil.example', 'Sec-Fetch-Site: same-origin'], 403],
    ['no origin, cross-site', ['Sec-Fetch-Site: cross-site'], 403],
    ['our origin', [`Origin: ${appliance.url}`, 'Sec-Fetch-Site: same-origin'], 200],
    ['neither, as a program', [], 200],
  ])('changes nothing without a body for a page of %s', async (_what, headers, status) => {
    const login = `admin:${appliance.adminPassword}`;
    const answer = await clients.curl({ path: '/api/projects/pe-shop?dryRun=true', method: 'DELETE', login, headers });
    expect(answer.status).toBe(status);
  });

  it('is told to wait after too many tries at /password, and how long', async () => {
    const headers = ['Content-Type: application/x-www-form-urlencoded', `Origin: ${appliance.url}`];
    const body = new URLSearchParams({ old: 'guessed', new: second, again: second }).toString();
    const tried = () => clients.curl({ path: '/password', method: 'POST', login: `pe-bob:${first}`, headers, body });
    // one more is allowed every twelve seconds
    let refused = await tried();
    let tries = 0;
    for (; refused.status === 400 && tries < 40; tries += 1) refused = await tried();
    expect(tries).toBeGreaterThanOrEqual(10);
    expect(refused).toMatchObject({ status: 429, body: expect.stringContaining('Too many tries.') as string });
    expect(refused.headers).toMatch(/^retry-after: (?:[1-9]|1[0-2])\r?$/im);
    expect((await clients.curl({ path: '/', login: `pe-bob:${first}` })).status).toBe(200);
  });
});
