import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Clients, verdict } from './support/clients.ts';
import { type Devserver, devserverIn, findingsAbout, remainsInside, until } from './support/devserver.ts';
import { askDriver } from './support/inside.ts';
import { passwordOf } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';
import { fileTicket } from './support/tracker.ts';
import { checkedOut, type Kind, kinds } from './support/working-copies.ts';

/** A project gets another name while its people go on with what they have. */
const run = Date.now().toString(36);
const appliance = inject('appliance');
const clients = new Clients(appliance);
let session: Session;
let devserver: Devserver;

/** Its build needs nothing from outside. */
const template = `ren-${run}`;
const oldName = (kind: Kind): string => `ren-${kind}-${run}`;
const newName = (kind: Kind): string => `its-${kind}-${run}`;
const artifact = (name: string): string => `/archiva/repository/${name}/org/example/thing/1.0/thing-1.0.jar`;

beforeAll(async () => {
  session = openSession(appliance.dir);
  devserver = devserverIn(session);
  for (const name of ['ann', 'out'] as const)
    await askDriver(appliance.dir, 'ldap', 'apply', { kind: 'user', name, fullName: name, password: passwordOf(name) });
  const made = `mkdir -p /srv/system/templates/$1/files; cd /srv/system/templates/$1; echo hello > files/README.md
    printf 'title: T\\nsummary: t\\nbuild:\\n  - [echo, built]\\n' > template.yaml`;
  await session.run(['sh', '-euc', made, 'sh', template]);
});
afterAll(async () => {
  await session?.tryRun(['rm', '-r', `/srv/system/templates/${template}`]);
  for (const name of kinds.flatMap((kind) => [oldName(kind), newName(kind)]))
    await session?.tryRun(['devserver', 'project', 'delete', '--yes', name]);
  await session?.close();
  clients.remove();
});

/** Where a GET with a login leads. */
async function leadsTo(at: string, as: 'ann' | 'out'): Promise<string> {
  const { status, headers } = await clients.curl({ path: at, as });
  return `${status} ${/^location: *(.*)$/im.exec(headers)?.[1]?.trim().replace(appliance.url, '') ?? ''}`.trim();
}

/** Commits one more line and gives it to the address the working copy knows. */
async function goOn(kind: Kind, folder: string, address: string, message: string): Promise<string> {
  const file = path.join(folder, 'README.md');
  if (kind === 'svn') {
    const updated = verdict(await clients.svn('ann', 'update', '-q', folder));
    if (updated !== 'yes') return `update: ${updated}`;
  }
  writeFileSync(file, `${readFileSync(file, 'utf8')}more\n`);
  if (kind === 'svn') return verdict(await clients.svn('ann', 'commit', '-q', '-m', message, folder));
  if (kind === 'git') {
    await clients.must('git', ['-C', folder, 'commit', '-qam', message]);
    return verdict(await clients.git('-C', folder, 'push', '-q'));
  }
  await clients.must('hg', ['-R', folder, 'commit', '-m', message]);
  return verdict(await clients.hg('-R', folder, 'push', '-q', clients.url(address, 'ann')));
}

/** Which headers there are. */
const shapeOf = (headers: string): string[] => [...headers.matchAll(/^([\w-]+):/gm)].map(([, name = '']) => name.toLowerCase());

async function isClosed(name: string, ticket: number): Promise<boolean> {
  const { body } = await clients.curl({ path: `/trac/${name}/ticket/${ticket}`, as: 'ann' });
  return body.includes('resolution set to') || />fixed</.test(body);
}

async function builds(name: string): Promise<number[]> {
  const { status, body } = await clients.curl({ path: `/hudson/job/${name}/api/json?tree=builds%5Bnumber,result%5D`, as: 'ann' });
  if (status !== 200) return [];
  const { builds: all } = JSON.parse(body) as { builds: { number: number; result: string | null }[] };
  return all.flatMap(({ number, result }) => (result === null ? [] : [number])).sort();
}

describe.each(kinds)('a project with %s', (kind) => {
  const [was, is] = [oldName(kind), newName(kind)];
  const address = (name: string): string => (kind === 'git' ? `/git/${name}.git` : `/${kind}/${name}`);
  let folder = '';

  it('has history, a ticket, a build and an artifact', async () => {
    await devserver.must('newproject', was, '--vcs', kind, '--template', template, '--member', 'ann');
    folder = await checkedOut(clients, kind, was, 'ann');
    for (const summary of ['First', 'Second']) await fileTicket(clients, was, 'ann', summary);
    expect(await goOn(kind, folder, address(was), 'One, closes #1')).toBe('yes');
    expect(await clients.status({ method: 'PUT', path: artifact(was), as: 'ann', body: 'a jar' })).toBe(201);
    await until('the first ticket is closed', () => isClosed(was, 1));
    await until('a build ended', async () => (await builds(was)).length > 0);
  });

  it('says what it would do', async () => {
    const { answer } = await devserver.ask('project', 'rename', was, is, '--dry-run');
    const { steps } = answer as unknown as { steps: string[] };
    expect(steps[0]).toMatch(/^remove core\./);
    expect(steps).toContain('stash trac.environment');
    expect(steps).toContain('adopt trac.environment');
    expect(await clients.status({ path: `/trac/${was}`, as: 'ann' })).toBe(200);
  });

  it('gets another name, and nothing inside bears the old one', async () => {
    const before = await builds(was);
    await devserver.must('project', 'rename', was, is);
    expect(await remainsInside(session, was)).toEqual([]);
    expect(await findingsAbout(devserver, is)).toEqual([]);
    expect(await findingsAbout(devserver, was)).toEqual([]);
    expect(await builds(is)).toEqual(before);
    expect(await clients.curl({ path: artifact(is), as: 'ann' })).toMatchObject({ status: 200, body: 'a jar' });
    expect(await isClosed(is, 1)).toBe(true);
  });

  it('is reached by its old addresses: members are told the new ones, nobody else is told anything', async () => {
    for (const [old, now] of [
      [`/trac/${was}`, `/trac/${is}`],
      [`/trac/${was}/wiki/W%C3%B6rter%20und%20Satz?version=1`, `/trac/${is}/wiki/W%C3%B6rter%20und%20Satz?version=1`],
      [`/hudson/job/${was}/`, `/hudson/job/${is}/`],
      [artifact(was), artifact(is)],
      [address(was), address(is)],
    ] as const) {
      // Apache writes escapes in small letters
      expect((await leadsTo(old, 'ann')).toLowerCase()).toBe(`301 ${now}`.toLowerCase());
      // it may get its old name back
      expect((await clients.curl({ path: old, as: 'ann' })).headers).toMatch(/^cache-control: no-store\r?$/im);
      expect([old, await clients.status({ path: old, as: 'out' })]).toEqual([old, 403]);
      const { status, headers, body } = await clients.curl({ path: old });
      expect([old, status, `${headers}${body}`.includes(is)]).toEqual([old, 401, false]);
      // as of a name that never was
      expect(shapeOf(headers)).toEqual(shapeOf((await clients.curl({ path: old.replace(was, 'never-was') })).headers));
    }
  });

  it('takes what is pushed to the old address, and acts on it as ever', async () => {
    const before = Math.max(0, ...(await builds(is)));
    expect(await goOn(kind, folder, address(was), 'Two, closes #2')).toBe('yes');
    await until('the second ticket is closed', () => isClosed(is, 2));
    await until('the next build has the next number', async () => (await builds(is)).includes(before + 1));
    const again = await checkedOut(clients, kind, is, 'ann');
    expect(readFileSync(path.join(again, 'README.md'), 'utf8')).toContain('more\nmore\n');
  });

  it('keeps its old name from others, until it is given up', async () => {
    const { exitCode, answer } = await devserver.ask('newproject', was, '--vcs', kind);
    expect([exitCode, answer.error?.message]).toEqual([2, expect.stringContaining(`${was} is what ${is} was called`)]);
    const shown = await devserver.ask('project', 'show', was);
    expect([shown.exitCode, shown.answer.error?.hint]).toEqual([2, `it is called ${is} now`]);
    await devserver.must('project', 'free', is, was);
    expect([
      await clients.status({ path: `/trac/${was}`, as: 'ann' }),
      (await devserver.ask('project', 'free', is, was)).exitCode,
    ]).toEqual([403, 3]);
  });

  it('can have it back', async () => {
    await devserver.must('project', 'rename', is, was);
    expect(await leadsTo(`/trac/${is}/wiki`, 'ann')).toBe(`301 /trac/${was}/wiki`);
    expect(await findingsAbout(devserver, was)).toEqual([]);
    expect(await goOn(kind, await checkedOut(clients, kind, is, 'ann'), address(is), 'Three')).toBe('yes');
  });
});
