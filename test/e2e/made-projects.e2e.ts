import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { counted } from '../support/counted.ts';
import { randomFrom } from '../support/random.ts';
import { checkout } from './support/cli.ts';
import { Clients, inPairs, verdict } from './support/clients.ts';
import { type Devserver, devserverIn } from './support/devserver.ts';
import { passwordOf } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';

/** Projects made by newproject let exactly those in whom docs/permissions.md names, by real clients. */
const appliance = inject('appliance');
const clients = new Clients(appliance);
const full = process.env.DEVSERVER_TEST_SIZE === 'full';
const seed = process.env.DEVSERVER_SEED ?? '1';
const run = Date.now().toString(36);

type Kind = 'git' | 'hg' | 'svn';
const states = ['Private', 'Internal', 'Private and archived'] as const;
type State = (typeof states)[number];
interface Subject {
  readonly kind: Kind;
  readonly state: State;
  readonly name: string;
}

const kinds: readonly Kind[] = ['git', 'hg', 'svn'];
const turn = Math.floor(randomFrom(seed)() * states.length);
const subject = (kind: Kind, state: State): Subject => ({
  kind,
  state,
  name: `mp-${kind}-${states.indexOf(state)}${run.slice(-4)}`,
});
/** Every state with every kind; in CI size each kind and each state once, paired by the seed. */
const subjects = full
  ? kinds.flatMap((kind) => states.map((state) => subject(kind, state)))
  : kinds.map((kind, index) => subject(kind, states[(index + turn) % states.length] as State));

/** Columns of the page. */
const visitors = ['anonymous', 'outsider', 'creator', 'reader', 'developer', 'project admin', 'admins', 'builder'] as const;
type Visitor = (typeof visitors)[number];

let session: Session;
let devserver: Devserver;
const builders = new Map<string, string>();

beforeAll(async () => {
  session = openSession(appliance.dir);
  devserver = devserverIn(session);
  await session.run(
    ['devserver', 'user', 'add', 'mpcreator', '--creator', '--password-file', '-'],
    `${passwordOf('mpcreator')}\n`,
  );
  for (const { kind, state, name } of subjects) await make(name, kind, state);
});

afterAll(async () => {
  for (const { name } of subjects) await devserver.ask('project', 'delete', name, '--yes');
  await devserver.ask('user', 'remove', 'mpcreator');
  clients.remove();
  await session.close();
});

async function make(name: string, kind: Kind, state: State): Promise<void> {
  const members = ['ann:admin', 'dev:developer', 'rob:reader'].flatMap((member) => ['--member', member]);
  const visibility = state === 'Internal' ? 'internal' : 'private';
  await devserver.must('newproject', name, '--vcs', kind, '--visibility', visibility, ...members);
  expect(await put(name, 'first', login('admins', name))).toBe('yes');
  builders.set(name, await session.run(['cat', `/srv/system/devserverd/secrets/${name}.builder`]));
  if (state === 'Private and archived') await devserver.must('project', 'archive', name);
}

/** Name and password, nothing for a stranger. */
function login(visitor: Visitor, project: string): [string, string] | undefined {
  const people: Partial<Record<Visitor, string>> = {
    ...{ outsider: 'out', creator: 'mpcreator', reader: 'rob', developer: 'dev', 'project admin': 'ann' },
  };
  const person = people[visitor];
  if (person !== undefined) return [person, passwordOf(person)];
  if (visitor === 'admins') return ['admin', appliance.adminPassword];
  return visitor === 'builder' ? [`${project}.builder`, builders.get(project) ?? ''] : undefined;
}

type Login = ReturnType<typeof login>;

function address(at: string, who: Login): string {
  if (who === undefined) return clients.url(at);
  return clients.url(at).replace('://', `://${who[0]}:${encodeURIComponent(who[1])}@`);
}

async function get(at: string, who: Login): Promise<string> {
  const { status } = await clients.curl({ path: at, ...(who === undefined ? {} : { login: who.join(':') }) });
  return status === 200 ? 'yes' : String(status);
}

async function put(project: string, mark: string, who: Login): Promise<string> {
  const at = `/archiva/repository/${project}/org/made/${mark}/1.0/${mark}-1.0.jar`;
  const { status } = await clients.curl({
    method: 'PUT',
    path: at,
    body: mark,
    ...(who === undefined ? {} : { login: who.join(':') }),
  });
  return status === 201 ? 'yes' : String(status);
}

const readers: Record<Kind, (name: string, who: Login) => Promise<string>> = {
  git: async (name, who) => verdict(await clients.git('ls-remote', address(`/git/${name}.git`, who))),
  hg: async (name, who) => verdict(await clients.hg('identify', '--id', address(`/hg/${name}`, who))),
  svn: async (name, who) => verdict(await svn(who, 'list', clients.url(`/svn/${name}/trunk`))),
};

const writers: Record<Kind, (name: string, who: Login, mark: string) => Promise<string>> = {
  git: async (name, who, mark) => {
    const work = clients.fresh('work');
    await clients.must('git', ['init', '--quiet', work]);
    await clients.must('git', ['-C', work, 'commit', '--quiet', '--allow-empty', '--message', mark]);
    return verdict(await clients.git('-C', work, 'push', '--quiet', address(`/git/${name}.git`, who), `HEAD:refs/heads/${mark}`));
  },
  hg: async (name, who, mark) => {
    const work = clients.fresh('work');
    await clients.must('hg', ['clone', '--quiet', address(`/hg/${name}`, login('admins', name)), work]);
    writeFileSync(path.join(work, 'README.md'), mark);
    await clients.must('hg', ['-R', work, 'branch', '--quiet', mark]);
    await clients.must('hg', ['-R', work, 'commit', '--quiet', '--message', mark]);
    return verdict(await clients.hg('-R', work, 'push', '--new-branch', '--quiet', address(`/hg/${name}`, who)));
  },
  svn: async (name, who, mark) =>
    verdict(await svn(who, 'mkdir', '--message', mark, clients.url(`/svn/${name}/branches/${mark}`))),
};

function svn(who: Login, ...args: string[]): ReturnType<Clients['run']> {
  const trust = ['--config-option', `servers:global:ssl-authority-files=${appliance.ca}`];
  const as = who === undefined ? [] : ['--username', who[0], '--password', who[1]];
  const quiet = ['--non-interactive', '--no-auth-cache', '--config-dir', path.join(clients.folder, 'svn')];
  return clients.run('svn', [...quiet, ...trust, ...as, ...args]);
}

/** What was answered to a reader and a writer, as the page says it. */
function inWords(read: string, write: string): string {
  const refused = ['401', '403'];
  if (read === 'yes' && write === 'yes') return 'rw';
  if (read === 'yes' && refused.includes(write)) return 'r';
  return refused.includes(read) && refused.includes(write) ? '–' : `reads: ${read}; writes: ${write}`;
}

/** The page's tables: section, path, visitor to `–`, `r` or `rw`. */
function promises(): (state: State, at: string, visitor: Visitor) => string {
  const text = readFileSync(path.join(checkout, 'docs/permissions.md'), 'utf8');
  return (state, at, visitor) => {
    const section = text.split(`### ${state}\n`)[1]?.split('\n#')[0] ?? '';
    const rows = section.split('\n').filter((line) => line.startsWith('|'));
    const cells = (row = ''): string[] => row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
    const column = cells(rows[0]).indexOf(visitor);
    const row = rows.find((it) => cells(it)[1] === at);
    return (column < 0 ? undefined : cells(row)[column]) ?? `docs/permissions.md says nothing of ${state} ${at} ${visitor}`;
  };
}

describe(`a project made by newproject (seed ${seed})`, () => {
  it.each(subjects)(
    'with $kind, $state: lets in whom docs/permissions.md names',
    { timeout: 600_000 },
    async ({ kind, state, name }) => {
      const promise = promises();
      const repository = { git: '/git/NAME.git', hg: '/hg/NAME', svn: '/svn/NAME' }[kind];
      const seen = await inPairs(visitors, async (visitor) => {
        const who = login(visitor, name);
        const mark = `by-${visitor.replace(' ', '-')}`;
        const jar = `/archiva/repository/${name}/org/made/first/1.0/first-1.0.jar`;
        const readsOnly = async (at: string): Promise<string> => inWords(await get(at, who), '403');
        return {
          [repository]: inWords(await readers[kind](name, who), await writers[kind](name, who, mark)),
          '/archiva/repository/NAME': inWords(await get(jar, who), await put(name, mark, who)),
          '/trac/NAME': await readsOnly(`/trac/${name}/wiki`),
          '/hudson/job/NAME': await readsOnly(`/hudson/job/${name}/api/json`),
        };
      });
      const told = Object.fromEntries(visitors.map((visitor, index) => [visitor, seen[index]]));
      const paths = Object.keys(seen[0] ?? {});
      const expected = Object.fromEntries(
        visitors.map((visitor) => [visitor, Object.fromEntries(paths.map((at) => [at, promise(state, at, visitor)]))]),
      );
      counted({ cells: visitors.length * (paths.length + 2) });
      expect(told).toEqual(expected);
    },
  );

  it('gives nothing to those of projects whose names begin or end alike', async () => {
    const name = `mp-like-${run.slice(-4)}`;
    const alike = [`${name}-admins`, `${name}-snapshots`, `${name}-developers`];
    try {
      await devserver.must('newproject', name, '--member', 'dev:developer');
      for (const other of alike) await devserver.must('newproject', other, '--member', 'out:admin');
      for (const at of [
        '/git/NAME.git/info/refs?service=git-upload-pack',
        '/trac/NAME/wiki',
        '/hudson/job/NAME/api/json',
        '/archiva/repository/NAME/',
      ]) {
        const seen = async (project: string, visitor: Visitor): Promise<string> =>
          get(at.replace('NAME', project), login(visitor, project));
        expect([at, await seen(name, 'outsider'), await seen(name, 'developer')]).toEqual([at, '403', 'yes']);
        for (const other of alike)
          expect([at, other, await seen(other, 'outsider'), await seen(other, 'developer')]).toEqual([at, other, 'yes', '403']);
      }
      expect(await writers.git(name, login('outsider', name), 'no')).toBe('403');
      expect(await put(name, 'no', login('outsider', name))).toBe('403');
    } finally {
      for (const other of [name, ...alike]) await devserver.ask('project', 'delete', other, '--yes');
    }
  });
});
