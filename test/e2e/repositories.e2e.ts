import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { factsOf, seed } from '../support/repository-driver.ts';
import type { CliResult } from './support/cli.ts';
import { Clients } from './support/clients.ts';
import { applyGroups } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);
const project = 'repos';
const job = `job-${Date.now()}`;
const kinds = ['git', 'hg', 'svn'] as const;
type Kind = (typeof kinds)[number];
const zeros = '0'.repeat(40);
let session: Session;

const drive = (kind: Kind, verb: string, protectBranch = true): Promise<unknown> =>
  session.driver(kind, verb, { resource: 'repository', project: factsOf(project, { protectBranch }), job, seed });

/** Hints there are, with owner and mode; they are deleted. */
async function hints(kind: Kind): Promise<string[]> {
  const spool = `/srv/spool/${kind}`;
  const script = `cd ${spool}; for f in *; do [ -e "$f" ] && stat -c '%U:%G %a' "$f" && cat "$f" && echo; rm -f "$f"; done; ls -A`;
  const text = await session.run(['sh', '-c', script]);
  return text.split('\n\n').filter((it) => it.trim() !== '');
}

const owner = { git: 'git', hg: 'hg', svn: 'www-data' } as const;
const hint = (kind: Kind, user: string, ...changes: string[]): string =>
  [`${owner[kind]}:devserverd 640`, `project ${project}`, `user ${user}`, ...changes.map((it) => `change ${it}`)].join('\n');

beforeAll(async () => {
  session = openSession(appliance.dir);
  await applyGroups(appliance.dir, {
    name: project,
    internal: false,
    archived: false,
    members: { dev: 'developer', ann: 'admin', rob: 'reader' },
  });
  // it would take the hints before they are looked at
  await session.run(['systemctl', 'kill', '--signal=STOP', 'devserverd.service']);
  for (const kind of kinds) {
    await hints(kind);
    await drive(kind, 'make');
  }
});
afterAll(async () => {
  for (const kind of kinds) {
    await session.tryRun(['chmod', '2770', `/srv/spool/${kind}`]);
    await hints(kind);
    await drive(kind, 'remove');
  }
  await session.run(['systemctl', 'kill', '--signal=CONT', 'devserverd.service']);
  await session.close();
  clients.remove();
});

describe('git', () => {
  let work: string;
  const git = (...args: string[]): Promise<CliResult> => clients.git('-C', work, ...args);
  const head = async (): Promise<string> => (await git('rev-parse', 'HEAD')).stdout.trim();
  async function commit(text: string): Promise<string> {
    writeFileSync(path.join(work, 'file'), text);
    await git('add', 'file');
    await git('commit', '--quiet', '--message', text);
    return head();
  }

  it('is cloned with its first commit, and a push is hinted at with the login that made it', async () => {
    work = clients.fresh('git');
    await clients.must('git', ['clone', '--quiet', clients.url(`/git/${project}.git`, 'dev'), work]);
    expect((await git('log', '-1', '--format=%an <%ae>')).stdout.trim()).toBe('Ann Änderung <ann@example.org>');
    const old = await head();
    // what a client calls itself is no login
    await git('config', 'user.name', 'admin');
    const fresh = await commit('one');
    expect(await git('push', '--quiet', 'origin', 'main', 'main:refs/heads/topic', 'main:refs/tags/v1')).toMatchObject({
      exitCode: 0,
    });
    const changes = [`${old} ${fresh} refs/heads/main`, `${zeros} ${fresh} refs/heads/topic`, `${zeros} ${fresh} refs/tags/v1`];
    expect(await hints('git')).toEqual([hint('git', 'dev', ...changes)]);
  });

  it('takes no forced push on the default branch and no deletion of it, but elsewhere', async () => {
    const kept = await head();
    await git('reset', '--quiet', '--hard', 'HEAD~1');
    await commit('two');
    const forced = await git('push', '--force', 'origin', 'main');
    expect(forced).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('main is protected: no forced push') });
    expect((await git('push', 'origin', ':main')).exitCode).toBe(1);
    expect((await git('push', '--force', 'origin', 'main', 'main:topic')).exitCode).toBe(1);
    expect(await hints('git')).toEqual([]);
    expect((await git('push', '--force', 'origin', 'main:topic')).exitCode).toBe(0);
    expect((await git('push', 'origin', ':topic')).exitCode).toBe(0);
    expect((await git('ls-remote', 'origin', 'main')).stdout).toContain(kept);
    expect((await hints('git')).length).toBe(2);
    await drive('git', 'apply', false);
    expect((await git('push', '--force', 'origin', 'main')).exitCode).toBe(0);
    await drive('git', 'apply');
    await hints('git');
  });

  it('shows and takes nothing of the repository but what is pushed', async () => {
    for (const at of ['config', 'hooks/post-receive', 'HEAD', 'devserver-job', 'objects/info/packs'])
      for (const method of ['GET', 'PUT', 'DELETE'])
        expect(await clients.status({ method, path: `/git/${project}.git/${at}`, as: 'ann', body: 'x' })).not.toBe(200);
  });

  it('takes a push when the hint cannot be written', async () => {
    await session.run(['chmod', '0500', '/srv/spool/git']);
    await commit('three');
    const pushed = await git('push', 'origin', 'main');
    expect(pushed).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('could not be told') });
  });
});

describe('Mercurial', () => {
  let work: string;
  const hg = (...args: string[]): Promise<CliResult> => clients.hg('-R', work, ...args);
  const node = async (): Promise<string> => (await hg('log', '-r', '.', '-T', '{node}')).stdout;
  async function commit(text: string): Promise<string> {
    writeFileSync(path.join(work, 'file'), text);
    await hg('commit', '--addremove', '--message', text);
    return node();
  }
  const push = (...args: string[]): Promise<CliResult> => hg('push', ...args, clients.url(`/hg/${project}`, 'dev'));

  it('is cloned with its first commit, and a push is hinted at with the login that made it', async () => {
    work = clients.fresh('hg');
    await clients.must('hg', ['clone', '--quiet', clients.url(`/hg/${project}`, 'dev'), work]);
    expect((await hg('log', '-r', '.', '-T', '{author} {phase}')).stdout).toBe('Ann Änderung <ann@example.org> public');
    const first = await commit('one');
    const last = await commit('two');
    expect(await push()).toMatchObject({ exitCode: 0 });
    expect(await hints('hg')).toEqual([hint('hg', 'dev', `${first} ${last}`)]);
  });

  it('takes no second head on the default branch and no closed one, but named branches and merges', async () => {
    const tip = await node();
    await hg('update', '0');
    const side = await commit('aside');
    const refused = await push('--force');
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain('the branch default is protected');
    await hg('update', tip);
    await hg('commit', '--close-branch', '--message', 'close');
    const closed = await push('--force', '--rev', '.');
    expect(closed.exitCode).not.toBe(0);
    expect(closed.stdout + closed.stderr).toContain('may not be closed or left aside');
    expect(await hints('hg')).toEqual([]);
    await hg('update', tip);
    await hg('branch', 'topic');
    const topic = await commit('named');
    expect((await push('--new-branch', '--rev', '.')).exitCode).toBe(0);
    await hg('update', '--clean', tip);
    await hg('merge', '--tool', ':local', side);
    await hg('commit', '--message', 'merged');
    const merged = await node();
    expect((await push('--rev', '.')).exitCode).toBe(0);
    expect(await hints('hg')).toEqual([hint('hg', 'dev', `${topic} ${topic}`), hint('hg', 'dev', `${side} ${merged}`)]);
    await drive('hg', 'apply', false);
    await hg('update', '0');
    await commit('again aside');
    expect((await push('--force', '--rev', '.')).exitCode).toBe(0);
    await drive('hg', 'apply');
    await hints('hg');
  });

  it('takes a push when the hint cannot be written', async () => {
    await session.run(['chmod', '0500', '/srv/spool/hg']);
    await commit('four');
    expect(await push('--rev', '.')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('could not be told') });
  });
});

describe('Subversion', () => {
  let work: string;
  const svn = (...args: string[]): Promise<CliResult> => clients.svn('dev', ...args);
  async function commit(text: string): Promise<CliResult> {
    writeFileSync(path.join(work, 'README.md'), text);
    return svn('commit', '--message', text, work);
  }

  it('is checked out with its first revision, and a commit is hinted at with the login that made it', async () => {
    work = clients.fresh('svn');
    expect((await svn('checkout', '--quiet', clients.url(`/svn/${project}/trunk`), work)).exitCode).toBe(0);
    expect((await svn('info', '--show-item', 'last-changed-author', work)).stdout.trim()).toBe('Ann Änderung');
    expect(await commit('one')).toMatchObject({ exitCode: 0 });
    expect(await hints('svn')).toEqual([hint('svn', 'dev', '2')]);
  });

  it('stays readable for the tracker, though the web server writes with a group that nobody else has', async () => {
    expect((await session.run(['find', `/srv/svn/${project}`, '!', '-group', 'www-data'])).trim()).toBe('');
    const asTracker = ['setpriv', '--reuid', 'trac', '--regid', 'trac', '--init-groups', 'svnlook'];
    expect((await session.run([...asTracker, 'youngest', `/srv/svn/${project}`])).trim()).toBe('2');
    expect(await session.run([...asTracker, 'author', `/srv/svn/${project}`])).toBe('dev\n');
  });

  it('changes nobody as the author of a revision, neither afterwards nor while it is made', async () => {
    const change = (...args: string[]): Promise<CliResult> => svn('propset', '--revprop', '-r', '2', ...args, work);
    expect((await change('svn:author', 'admin')).exitCode).not.toBe(0);
    expect((await change('svn:log', 'another')).exitCode).not.toBe(0);
    const author = await forgedAuthor();
    expect(author).toBe('dev');
    await hints('svn');
  });

  it('takes a commit when the hint cannot be written', async () => {
    await session.run(['chmod', '0500', '/srv/spool/svn']);
    expect(await commit('two')).toMatchObject({ exitCode: 0 });
  });

  /** Commits by hand as dev, with a request in between that names admin as the author; who it is then. */
  async function forgedAuthor(): Promise<string> {
    const at = `/svn/${project}`;
    const dav = (method: string, where: string, body: string, ...headers: string[]) =>
      clients.curl({ method, path: where, as: 'dev', body, headers });
    const begun = await dav('POST', `${at}/!svn/me`, '( create-txn )', 'Content-Type: application/vnd.svn-skel');
    const txn = /SVN-Txn-Name: (\S+)/i.exec(begun.headers)?.[1] ?? 'none';
    const author = `<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:" xmlns:S="http://subversion.tigris.org/xmlns/svn/"><D:set><D:prop><S:author>admin</S:author></D:prop></D:set></D:propertyupdate>`;
    await dav('PROPPATCH', `${at}/!svn/txn/${txn}`, author, 'Content-Type: text/xml');
    expect((await dav('PUT', `${at}/!svn/txr/${txn}/trunk/forged`, 'x')).status).toBe(201);
    const merge = `<?xml version="1.0"?><D:merge xmlns:D="DAV:"><D:source><D:href>${at}/!svn/txn/${txn}</D:href></D:source><D:no-auto-merge/><D:no-checkout/><D:prop/></D:merge>`;
    expect((await dav('MERGE', at, merge, 'Content-Type: text/xml')).status).toBe(200);
    const [told = ''] = await hints('svn');
    return /^user (.*)$/m.exec(told)?.[1] ?? told;
  }
});

describe('hooks', () => {
  it("are root's, on the system disk, and nobody else can write them", async () => {
    const folders = ['/usr/lib/devserver', '/usr/lib/devserver/git-hooks', '/usr/lib/devserver/svn-hooks'];
    const found = await session.run([
      'find',
      ...folders,
      '-maxdepth',
      '1',
      '!',
      '-uid',
      '0',
      '-o',
      '-perm',
      '/022',
      '!',
      '-type',
      'l',
    ]);
    expect(found.trim()).toBe('');
    expect((await session.run(['readlink', `/srv/svn/${project}/hooks`])).trim()).toBe('/usr/lib/devserver/svn-hooks');
    expect((await session.tryRun(['test', '-e', `/srv/git/${project}.git/hooks`])).exitCode).not.toBe(0);
    expect((await session.tryRun(['test', '-e', `/srv/hg/${project}/.hg/hgrc`])).exitCode).not.toBe(0);
  });
});
