import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { counted } from '../support/counted.ts';
import { Clients, verdict } from './support/clients.ts';
import { type Answer, type Devserver, devserverIn, findingsAbout, until } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';
import { fileTicket } from './support/tracker.ts';
import { checkedOut as checkedOutBy, commit as commitBy, type Kind, kinds } from './support/working-copies.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);
const full = process.env.DEVSERVER_TEST_SIZE === 'full';
let session: Session;

const devserver: Devserver['ask'] = (...args) => devserverIn(session).ask(...args);
const must: Devserver['must'] = (...args) => devserverIn(session).must(...args);

const checkedOut = (kind: Kind, name: string): Promise<string> => checkedOutBy(clients, kind, name);
const commit = (kind: Kind, folder: string, message: string): Promise<string> => commitBy(clients, kind, folder, message);

beforeAll(async () => {
  session = openSession(appliance.dir);
  await must('user', 'set', 'ann', '--creator');
});
afterAll(async () => {
  await session.close();
  clients.remove();
});

describe('newproject', () => {
  it.each(kinds)(
    'with %s: repository, tracker and builds that belong together',
    async (kind) => {
      const name = `np-${kind}`;
      const answer = await must(
        'newproject',
        name,
        '--vcs',
        kind,
        '--title',
        'Läden & <Co>',
        '--member',
        'dev',
        '--member',
        'rob:reader',
      );
      expect(answer.project?.links).toMatchObject({
        vcs: { url: expect.stringContaining(name) },
        maven: {},
        ci: {},
        tracker: {},
      });
      const folder = await checkedOut(kind, name);
      expect(readFileSync(path.join(folder, 'README.md'), 'utf8')).toContain('Läden & <Co>');
      expect((await clients.curl({ path: `/trac/${name}/wiki`, as: 'rob' })).body).toContain('Läden &amp; &lt;Co&gt;');
      await fileTicket(clients, name, 'dev', 'Bug');
      expect(await commit(kind, folder, 'It works now, closes #1')).toBe('yes');
      const closed = await until('the ticket is closed', async () => {
        const { body } = await clients.curl({ path: `/trac/${name}/ticket/1`, as: 'dev' });
        return body.includes('resolution set to') || />fixed</.test(body) ? body : undefined;
      });
      // who pushed, not who the commit says
      expect(closed).toMatch(/trac-author[^>]*>dev</);
      await until('the build ended', async () => {
        const { status, body } = await clients.curl({ path: `/hudson/job/${name}/lastBuild/api/json`, as: 'dev' });
        return status === 200 && body.includes('"result":"SUCCESS"');
      });
      await until('the timeline knows of the build', async () =>
        (await clients.curl({ path: `/trac/${name}/timeline?format=rss`, as: 'dev' })).body.includes('Build #1'),
      );
    },
    180_000,
  );

  it('is refused a second time, and for names and people that can not be', async () => {
    expect((await devserver('newproject', 'np-git')).answer.error?.message).toContain('already a project np-git');
    for (const name of ['admins', 'guest', 'trac', 'api', 'con']) {
      const { exitCode, answer } = await devserver('newproject', name);
      expect([name, exitCode, answer.error?.message]).toEqual([name, 3, expect.stringContaining('reserved')]);
    }
    for (const name of ['..', 'a b', 'Shop', 'shop.', '-shop', 'shop-', 'x', 'a/b', 'ü-shop', `${'x'.repeat(33)}`])
      expect([name, (await devserver('newproject', '--', name)).exitCode]).toEqual([name, 3]);
    expect((await devserver('newproject', 'np-nobody', '--member', 'nosuch')).answer.error?.message).toContain('no user nosuch');
    expect((await devserver('newproject', 'np-cvs', '--vcs', 'cvs')).answer.error?.message).toContain('no cvs here');
  });

  it('makes one of two that ask at the same moment', async () => {
    const names = Array.from({ length: full ? 32 : 4 }, (_, index) => `np-race-${index}`);
    counted({ clients: names.length * 2 });
    const ends = await Promise.all([...names, ...names].map((name) => devserver('newproject', name, '--no-maven')));
    expect(ends.map(({ exitCode }) => exitCode).sort()).toEqual([...names.map(() => 0), ...names.map(() => 2)]);
    const listed = (await session.run(['devserver', 'project', 'list']))
      .split('\n')
      .filter((line) => line.startsWith('np-race-'));
    expect(listed).toHaveLength(names.length);
    for (const name of names) await must('project', 'delete', name, '--yes');
  });
});

describe('a project', () => {
  it('knows a member at once, and no more at once', async () => {
    const can = async (): Promise<string> => verdict(await clients.git('ls-remote', clients.url('/git/np-git.git', 'out')));
    expect(await can()).toBe('403');
    await must('project', 'member', 'add', 'np-git', 'out:reader');
    expect(await can()).toBe('yes');
    expect(await clients.status({ path: '/trac/np-git', as: 'out' })).toBe(200);
    await must('project', 'member', 'remove', 'np-git', 'out');
    expect(await can()).toBe('403');
    expect(await clients.status({ path: '/trac/np-git', as: 'out' })).toBe(403);
  });

  it('takes no more commits when it is archived, and takes them again', async () => {
    const folder = await checkedOut('git', 'np-git');
    await must('project', 'archive', 'np-git');
    expect(await commit('git', folder, 'too late')).toBe('403');
    await must('project', 'unarchive', 'np-git');
    expect(await commit('git', folder, 'in time')).toBe('yes');
  });

  it('comes back as it was after it was deleted', async () => {
    const head = async (): Promise<string> =>
      (await clients.git('ls-remote', clients.url('/git/np-git.git', 'dev'), 'HEAD')).stdout;
    const before = await head();
    expect(before).toMatch(/^[0-9a-f]{40}/);
    await must('project', 'delete', 'np-git', '--yes');
    expect(await clients.status({ path: '/trac/np-git', as: 'dev' })).toBe(403);
    expect(await clients.status({ path: '/git/np-git.git/info/refs?service=git-upload-pack', as: 'dev' })).toBe(403);
    expect(
      (await session.run(['sh', '-c', 'ls /srv/git/.stash /srv/trac/.stash /srv/system/deleted'])).match(/\.tar\.zst/g)?.length,
    ).toBeGreaterThan(0);
    expect((await devserver('project', 'show', 'np-git')).exitCode).toBe(2);
    await must('project', 'undelete', 'np-git');
    expect(await head()).toBe(before);
    expect((await clients.curl({ path: '/trac/np-git/ticket/1', as: 'dev' })).body).toContain('It works now');
    expect((await clients.curl({ path: '/hudson/job/np-git/1/consoleText', as: 'dev' })).body).toContain('SUCCESS');
    expect(await findingsAbout({ ask: devserver }, 'np-git')).toEqual([]);
  });

  it('is seen to by the doctor: what is derived is made again, what people made never is', async () => {
    const mine = (answer: Answer) => answer.findings?.filter(({ project }) => project === 'np-hg') ?? [];
    await session.driver('ldap', 'remove', { kind: 'group', name: 'np-hg.readers' });
    await session.run(['mv', '/srv/hg/np-hg', '/srv/hg/away']);
    expect(mine((await devserver('doctor')).answer).map(({ resource, what }) => `${resource} ${what}`)).toEqual([
      'core.readers missing',
      'hg.repository missing-data',
    ]);
    const repaired = mine((await devserver('doctor', '--fix')).answer);
    expect(repaired.map(({ resource, repaired: done }) => `${resource} ${done}`)).toEqual([
      'core.readers true',
      'hg.repository false',
    ]);
    expect((await session.tryRun(['test', '-e', '/srv/hg/np-hg'])).exitCode).toBe(1);
    await session.run(['mv', '/srv/hg/away', '/srv/hg/np-hg']);
    expect(mine((await devserver('doctor')).answer)).toEqual([]);
  });
});

describe('the API at the front', () => {
  const post = (as: 'ann' | 'dev' | 'anonymous', body: object, headers: readonly string[] = ['Content-Type: application/json']) =>
    clients.curl({ path: '/api/projects?dryRun=true', method: 'POST', as, headers, body: JSON.stringify(body) });

  it('is for creators, by JSON, from this site', async () => {
    expect((await post('anonymous', { name: 'np-api' })).status).toBe(401);
    expect((await post('dev', { name: 'np-api' })).status).toBe(403);
    const plan = await post('ann', { name: 'np-api' });
    expect(JSON.parse(plan.body)).toMatchObject({ dryRun: true, steps: expect.arrayContaining(['make git.repository']) });
    expect((await post('ann', { name: 'np-api' }, ['Content-Type: text/plain'])).status).toBe(415);
    expect((await post('ann', { name: 'np-api' }, ['Content-Type: application/json', 'Sec-Fetch-Site: cross-site'])).status).toBe(
      403,
    );
    expect((await post('ann', { name: 'np-api', owner: 'x' })).status).toBe(400);
    expect((await post('ann', { name: '../etc' })).status).toBe(400);
  });

  it('describes itself, and shows a project to those who may see it', async () => {
    const description = JSON.parse((await clients.curl({ path: '/api/openapi.json', as: 'dev' })).body) as {
      openapi: string;
      paths: object;
    };
    expect(description.openapi).toBe('3.1.0');
    expect(Object.keys(description.paths)).toContain('/api/projects/{name}');
    expect((await clients.curl({ path: '/api/projects/np-svn', as: 'rob' })).status).toBe(200);
    expect((await clients.curl({ path: '/api/projects/np-svn', as: 'out' })).status).toBe(404);
    expect((await clients.curl({ path: '/api/users', as: 'dev' })).status).toBe(403);
  });
});
