import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { archivaRest, setRole } from './support/apps.ts';
import { Clients, verdict } from './support/clients.ts';
import { devserverIn, type Finding, remainsInside, until } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';
import { submit } from './support/tracker.ts';
import { checkedOut, commit, kinds } from './support/working-copies.ts';

/** What hands do to a project behind the daemon's back, and what `devserver doctor` says and does about it. */
const appliance = inject('appliance');
const clients = new Clients(appliance);
/** The project that gets lost. */
const ghost = 'doc-ghost';
const made = kinds.map((kind) => `doc-${kind}`);
const projects = [...made, ghost];
let session: Session;

beforeAll(async () => {
  session = openSession(appliance.dir);
  for (const kind of kinds)
    await devserverIn(session).must(
      'newproject',
      `doc-${kind}`,
      '--vcs',
      kind,
      '--member',
      'ann:admin',
      '--member',
      'dev',
      '--member',
      'rob:reader',
    );
});
afterAll(async () => {
  for (const name of projects) await session.tryRun(['devserver', 'project', 'delete', name, '--yes']);
  await session.close();
  clients.remove();
});

/** What the doctor says of these projects, as PROJECT RESOURCE WHAT. */
async function findings(...fix: '--fix'[]): Promise<{ said: string[]; all: readonly Finding[] }> {
  const { answer } = await devserverIn(session).ask('doctor', ...fix);
  const all = (answer.findings ?? []).filter(({ project }) => projects.includes(project));
  return { said: all.map(({ project, resource, what }) => `${project} ${resource} ${what}`), all };
}

const inside = (script: string): Promise<string> => session.run(['sh', '-euc', script]);

/** Damages one derived thing, and says how the doctor calls it. */
const damages: readonly [finding: string, text: string, damage: () => Promise<unknown>][] = [
  ['doc-git archiva.repository missing', 'missing', () => unregister('doc-git')],
  ['doc-git core.active missing', 'missing', () => session.driver('ldap', 'remove', { kind: 'group', name: 'doc-git.active' })],
  ['doc-git core.builder differs', 'password', () => session.driver('ldap', 'apply', builder('doc-git'))],
  [
    'doc-git core.developers differs',
    'nobody instead of dev',
    () => session.driver('ldap', 'apply', { kind: 'group', name: 'doc-git.developers', members: [] }),
  ],
  [
    'doc-git git.repository differs',
    'config',
    () => inside('umask 077; git config -f /srv/git/doc-git.git/config core.hooksPath /tmp'),
  ],
  [
    'doc-git hudson.job differs',
    'rights',
    () => inside("sed -i 's/Read:ROLE_DOC-GIT.READERS/Read:anonymous/' /srv/ci/hudson/jobs/doc-git/config.xml"),
  ],
  [
    'doc-git trac.environment differs',
    '[trac] permission_policies',
    () => inside("sed -i 's/RoleLimit, *//' /srv/trac/doc-git/conf/trac.ini"),
  ],
  ['doc-hg archiva.repository differs', 'can not see it', () => setRole(session, 'Repository Observer - doc-hg', ['rob'])],
  [
    'doc-hg core.builder differs',
    'is not in the group doc-hg.builders',
    () => session.driver('ldap', 'apply', { kind: 'group', name: 'doc-hg.builders', members: ['dev'] }),
  ],
  [
    'doc-hg core.internal leftover',
    'the project is not to have it',
    () => session.driver('ldap', 'apply', { kind: 'group', name: 'doc-hg.internal', members: 'everyone' }),
  ],
  ['doc-hg core.readers missing', 'missing', () => session.driver('ldap', 'remove', { kind: 'group', name: 'doc-hg.readers' })],
  ['doc-hg hg.repository differs', 'hgrc', () => inside("printf '[web]\\ndeny_push = *\\n' > /srv/hg/doc-hg/.hg/hgrc")],
  [
    'doc-hg hudson.job differs',
    'build',
    () => inside("sed -i 's/request-build doc-hg/request-build other/' /srv/ci/hudson/jobs/doc-hg/config.xml"),
  ],
  ['doc-svn archiva.repository differs', 'blockRedeployments', () => reregister('doc-svn', { blockRedeployments: false })],
  [
    'doc-svn hudson.job differs',
    'disabled',
    () => inside("sed -i 's/<disabled>false/<disabled>true/' /srv/ci/hudson/jobs/doc-svn/config.xml"),
  ],
  [
    'doc-svn svn.repository differs',
    'hooks',
    () =>
      inside("cd /srv/svn/doc-svn; rm hooks; mkdir hooks; printf '#!/bin/sh\\nexit 1\\n' > hooks/pre-commit; chmod 755 hooks/*"),
  ],
  [
    'doc-svn trac.environment differs',
    'another repository',
    () => inside(`python3 -c "${repointed}" /srv/trac/doc-svn/db/trac.db`),
  ],
];
/** A builder as the daemon makes it, but for the password. */
function builder(name: string): object {
  const account = { kind: 'service-account', name: `${name}.builder`, memberOf: [`${name}.builders`] };
  return { ...account, password: 'somebody-elses-password' };
}

const repointed =
  "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('UPDATE repository SET value = 1 WHERE name = \\\\'dir\\\\''); d.commit()";
const managed = 'archivaServices/managedRepositoriesService';

async function unregister(name: string): Promise<void> {
  const { status } = await archivaRest(
    session,
    'GET',
    `${managed}/deleteManagedRepository?repositoryId=${name}&deleteContent=false`,
  );
  expect(status).toBe(200);
}

async function reregister(name: string, change: object): Promise<void> {
  const present = JSON.parse((await archivaRest(session, 'GET', `${managed}/getManagedRepository/${name}`)).body) as object;
  const { status } = await archivaRest(session, 'POST', `${managed}/updateManagedRepository`, { ...present, ...change });
  expect(status).toBe(200);
}

describe('the doctor', () => {
  it('is silent about projects nobody has touched, and about what people do in them', async () => {
    expect((await findings()).said).toEqual([]);
    const page = { name: 'WikiStart', action: 'edit', version: '1', text: 'mine', save: '1' };
    expect((await submit(clients, 'dev', '/trac/doc-git/wiki/WikiStart', page)).status).toBe(303);
    // Trac writes trac.ini anew
    const components = '/trac/doc-git/admin/ticket/components';
    expect((await submit(clients, 'ann', components, { add: 'Add', name: 'desk', owner: 'dev' })).status).toBe(303);
    expect((await submit(clients, 'ann', components, { apply: 'Apply', default: 'desk' })).status).toBe(303);
    const settings = await inside('cat /srv/trac/doc-git/conf/trac.ini');
    expect(settings).toContain('default_component = desk');
    expect(settings).toContain('RoleLimit,DefaultWikiPolicy');
    // and Hudson its configuration
    await devserverIn(session).must('project', 'set', 'doc-git', '--title', 'Läden & <Co>');
    await devserverIn(session).must('project', 'set', 'doc-git', '--visibility', 'internal');
    for (const kind of kinds) {
      const folder = await checkedOut(clients, kind, `doc-${kind}`);
      expect(await commit(clients, kind, folder, 'one more')).toBe('yes');
    }
    const begun = performance.now();
    expect((await findings()).said).toEqual([]);
    console.log(`the doctor looked at all projects in ${Math.round(performance.now() - begun)} ms`);
  });

  it('names each thing damaged by hand, puts it right, and real clients work', async () => {
    for (const [, , damage] of damages) await damage();
    const { all } = await findings();
    expect(all.map(({ project, resource, what }) => `${project} ${resource} ${what}`)).toEqual(damages.map(([name]) => name));
    for (const [index, [name, text]] of damages.entries()) expect(all[index]?.text, name).toContain(text);
    const git = clients.url('/git/doc-git.git', 'dev');
    expect(verdict(await clients.git('ls-remote', git))).not.toBe('yes');

    const repaired = (await findings('--fix')).all;
    expect(repaired.filter((it) => !it.repaired)).toEqual([]);
    expect(repaired).toHaveLength(damages.length);
    expect((await findings()).said).toEqual([]);

    for (const kind of kinds) {
      const folder = await checkedOut(clients, kind, `doc-${kind}`);
      expect([kind, await commit(clients, kind, folder, 'after the doctor')]).toEqual([kind, 'yes']);
    }
    // the hooks are there again
    const folder = await checkedOut(clients, 'git', 'doc-git');
    await clients.must('git', ['-C', folder, 'reset', '-q', '--hard', 'HEAD~1']);
    expect((await clients.git('-C', folder, 'push', '-qf')).stderr).toContain('no forced push');
    // what was in the way of the link was root's
    expect(await inside('readlink /srv/svn/doc-svn/hooks')).toBe('/usr/lib/devserver/svn-hooks\n');
    expect(await inside('ls /srv/svn/doc-svn')).toContain('hooks.by-hand-');
    await inside('rm -r /srv/svn/doc-svn/hooks.by-hand-*');
    expect(await inside('stat -c "%U:%G %a" /srv/git/doc-git.git/config')).toBe('git:git 640\n');
    for (const name of made) {
      expect([name, await clients.status({ path: `/trac/${name}/browser`, as: 'rob' })]).toEqual([name, 200]);
      expect([name, await clients.status({ path: `/hudson/job/${name}/`, as: 'rob' })]).toEqual([name, 200]);
      expect([name, await clients.status({ path: `/archiva/repository/${name}/`, as: 'rob' })]).toEqual([name, 200]);
    }
    expect(await inside('cat /srv/trac/doc-git/conf/trac.ini')).toContain('default_component = desk');
    expect((await clients.curl({ path: '/trac/doc-git/wiki', as: 'rob' })).body).toContain('mine');
  });

  it('tells what people made and somebody moved away, names the backup, and makes nothing empty', async () => {
    const places = ['/srv/ci/hudson/jobs', '/srv/maven/repositories', '/srv/svn', '/srv/trac'];
    const missing = ['archiva.content', 'hudson.job', 'svn.repository', 'trac.environment'];
    await inside(`mkdir /srv/away; for it in ${places.join(' ')}; do mkdir -p /srv/away$it; mv $it/doc-svn /srv/away$it/; done`);
    try {
      for (const fix of [[], ['--fix']] as const) {
        const { all } = await findings(...fix);
        const lost = all.filter(({ what }) => what === 'missing-data');
        expect(lost.map(({ resource }) => resource)).toEqual(missing);
        for (const { hint, repaired } of lost) expect([hint, repaired]).toEqual([expect.stringContaining('backup'), false]);
        expect(all.filter(({ project }) => project !== 'doc-svn')).toEqual([]);
      }
      for (const place of places)
        expect([place, (await session.tryRun(['test', '-e', `${place}/doc-svn`])).exitCode]).toEqual([place, 1]);
      // somebody makes the directory again: it is still not what was there
      await inside('install -d -o www-data -g www-data -m 750 /srv/svn/doc-svn');
      const { all } = await findings('--fix');
      expect(all.find(({ resource }) => resource === 'svn.repository')).toMatchObject({
        what: 'missing-data',
        text: expect.stringContaining('format'),
        repaired: false,
      });
      expect(await inside('ls -A /srv/svn/doc-svn; rmdir /srv/svn/doc-svn')).toBe('');
    } finally {
      await inside(`for it in ${places.join(' ')}; do mv -n /srv/away$it/doc-svn $it/; done; rm -r /srv/away`);
    }
    expect((await findings()).said).toEqual([]);
    const folder = await checkedOut(clients, 'svn', 'doc-svn');
    expect(await commit(clients, 'svn', folder, 'it is back')).toBe('yes');
  });

  it('finds a project whose specification was lost, and leaves all of it; found again it is whole', async () => {
    await devserverIn(session).must('newproject', ghost, '--vcs', 'git', '--member', 'dev');
    const file = `/srv/system/devserverd/projects/${ghost}.yaml`;
    const restarted = async (): Promise<void> => {
      await inside('systemctl restart devserverd');
      await until('the daemon answers', async () => (await session.tryRun(['devserver', 'project', 'list'])).exitCode === 0);
    };
    await inside(`mv ${file} /srv/system/lost.yaml`);
    await restarted();
    const everything = await remainsInside(session, ghost);
    const { said, all } = await findings('--fix');
    const data = ['archiva.content', 'git.repository', 'hudson.job', 'trac.environment'];
    const derived = ['active', 'builder', 'builder-password', 'developers', 'admins', 'readers'].map((it) => `core.${it}`);
    expect(said).toEqual(['archiva.repository', ...data, ...derived].sort().map((it) => `${ghost} ${it} leftover`));
    for (const { resource, repaired, hint } of all) {
      expect([resource, repaired]).toEqual([resource, false]);
      expect([resource, hint]).toEqual([
        resource,
        expect.stringContaining(data.includes(resource) ? 'backup' : 'data of that name'),
      ]);
    }
    expect(all.find(({ resource }) => resource === 'git.repository')?.hint).toContain('/srv/git');
    expect(await remainsInside(session, ghost)).toEqual(everything);

    await inside(`mv /srv/system/lost.yaml ${file}`);
    await restarted();
    expect((await findings()).said).toEqual([]);
    await devserverIn(session).must('project', 'delete', ghost, '--yes');
    expect((await findings()).said).toEqual([]);
  });

  it('removes what is left of a project and can be made again, and what people made never', async () => {
    const password = `/srv/system/devserverd/secrets/${ghost}.builder`;
    await inside(`install -o devserverd -g devserverd -m 600 /dev/null ${password}`);
    await inside(`install -o devserverd -g devserverd -m 640 /dev/null /run/devserver/facts/${ghost}.json`);
    await session.driver('ldap', 'apply', builder(ghost));
    await session.driver('ldap', 'apply', { kind: 'group', name: `${ghost}.admins`, members: ['out'] });
    const derived = ['core.admins', 'core.builder', 'core.builder-password', 'facts'].map((it) => `${ghost} ${it} leftover`);
    expect((await findings()).said).toEqual(derived);
    await inside(`install -d -o hg -g hg /srv/hg/${ghost}`);
    expect((await findings('--fix')).said).toEqual([...derived, `${ghost} hg.repository leftover`]);
    expect((await findings()).said).toEqual([...derived, `${ghost} hg.repository leftover`]);
    await inside(`rmdir /srv/hg/${ghost}`);
    const { said, all } = await findings('--fix');
    expect([said, all.filter(({ repaired }) => !repaired)]).toEqual([derived, []]);
    expect((await findings()).said).toEqual([]);
    expect(await session.driver('ldap', 'read', { kind: 'group', name: `${ghost}.builders` })).toBeNull();
    expect(await inside(`ls ${password} /run/devserver/facts/${ghost}.json 2>/dev/null || true`)).toBe('');
  });
});
