import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { counted } from '../support/counted.ts';
import { randomFrom } from '../support/random.ts';
import type { Appliance } from './appliance.ts';
import { cli, must } from './support/cli.ts';
import { Clients } from './support/clients.ts';
import { devserverIn, until } from './support/devserver.ts';
import { copyOf, discard, up } from './support/machine-copy.ts';
import { pullThePlug } from './support/plug.ts';
import { openSession, type Session } from './support/session.ts';
import { fileTicket } from './support/tracker.ts';
import { checkedOut, commit, type Kind, kinds } from './support/working-copies.ts';

/** A backup of the shared appliance onto a second, fresh one; then what happens when it does not pass. */
const appliance = inject('appliance');
/** Ten in the full size; by turns of each kind. */
const isFull = process.env.DEVSERVER_TEST_SIZE === 'full';
const projects = Array.from({ length: isFull ? 10 : 5 }, (_, index) => ({ name: `rt-${index}`, kind: kinds[index % 3] as Kind }));
const there = '/var/tmp/restore-test';
const seed = process.env.DEVSERVER_SEED ?? String(Date.now());
const random = randomFrom(seed);
let from: Session;
let onto: Session;
let dir = '';
let fresh: Appliance;

const shell = (session: Session, script: string): Promise<string> => session.run(['sh', '-euc', script]);

/** Everything people made in the projects, as one text: digests of files, revisions, tickets, builds, people. */
const made = `set -eu; cd /srv; export HOME=/tmp/restore-made
for name in ${projects.map(({ name }) => name).join(' ')}; do
  find git/$name.git/objects git/$name.git/refs hg/$name/.hg/store svn/$name/db maven/repositories/$name trac/$name/files \\
    ci/hudson/jobs/$name/builds -path '*/.indexer' -prune -o -type f -exec sha256sum -- {} + 2>/dev/null | sort -k 2
  if [ -d git/$name.git ]; then git -c safe.directory='*' --git-dir git/$name.git log --all --format='%H %an %s'; fi
  if [ -d hg/$name ]; then hg --cwd hg/$name log --template '{node} {author} {desc}\\n'; fi
  if [ -d svn/$name ]; then svn log --quiet file:///srv/svn/$name; fi
  python3 - trac/$name/db/trac.db <<'END'
import hashlib, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
for table in ("ticket", "ticket_change", "attachment", "wiki", "milestone"):
    for row in database.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3"):
        print(table, row[0], hashlib.sha256(repr(row).encode()).hexdigest())
END
  cat system/devserverd/projects/$name.yaml
  sha256sum system/devserverd/secrets/$name.builder
done
devserver user list --json
sha256sum system/secrets/*/* | grep -v tls`;

/** Waits until the machine has gone through its restart and the restore is settled. */
async function settled(): Promise<Record<string, unknown>> {
  const show = 'test ! -e /run/before-the-restart && devserver restore --show --json';
  const record = await until(
    'the restore is settled',
    async () => {
      // it is another appliance now, with another key
      rmSync(path.join(dir, 'machine/known_host'), { force: true });
      const { exitCode, stdout } = await cli(['exec', dir, '--', 'sh', '-c', show]);
      const seen = exitCode === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : {};
      return seen.phase === 'done' || seen.phase === 'returned' ? seen : undefined;
    },
    1_200,
  );
  await up(dir, '--backend', 'nspawn', '--wait');
  onto = openSession(dir);
  return record;
}

/** Prepares a file and has the machine begin to restart. */
async function restore(...args: string[]): Promise<void> {
  await onto.run(['touch', '/run/before-the-restart']);
  const { exitCode, stdout, stderr } = await onto.tryRun(['devserver', 'restore', ...args, '--yes', '--no-reboot']);
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  onto.tryRun(['systemctl', 'reboot']).catch(() => {});
  await onto.close();
}

/** Ends the machine as a power cut does, somewhere from its shutdown over the exchange into the trial, and starts it again. */
async function losePower(share: number): Promise<void> {
  await sleep(1000 + 20_000 * share);
  await pullThePlug(dir);
  counted({ powerCuts: 1 });
  rmSync(path.join(dir, 'machine/known_host'), { force: true });
  await up(dir, '--backend', 'nspawn');
}

/** One of the ten, with history, a ticket and an artifact. */
async function grow(clients: Clients, { name, kind }: (typeof projects)[number]): Promise<void> {
  const title = `Ünï ${name}`;
  const members = ['--member', 'dev', '--member', 'rob:reader'];
  await devserverIn(from).must('newproject', name, '--vcs', kind, '--title', title, ...members);
  const folder = await checkedOut(clients, kind, name);
  expect(await commit(clients, kind, folder, `history of ${name}`)).toBe('yes');
  await fileTicket(clients, name, 'dev', `ticket of ${name}`);
  const put = await clients.curl({
    ...{ method: 'PUT', path: `/archiva/repository/${name}/org/example/${name}/1.0/${name}-1.0.txt`, as: 'dev' },
    ...{ body: `artifact of ${name}`, headers: ['Content-Type: application/octet-stream'] },
  });
  expect(put.status).toBe(201);
}

/** Every job has built, and nothing builds any more. */
async function untilBuilt(clients: Clients): Promise<void> {
  for (const { name } of projects)
    await until(`${name} is built`, async () => {
      const { body } = await clients.curl({ path: `/hudson/job/${name}/api/json?tree=builds%5Bnumber,result%5D`, as: 'dev' });
      const { builds } = JSON.parse(body) as { builds: { result: string | null }[] };
      return builds.length > 0 && builds.every(({ result }) => result === 'SUCCESS');
    });
}

beforeAll(async () => {
  console.log(`seed ${seed}`);
  from = openSession(appliance.dir);
  const clients = new Clients(appliance);
  const second = copyOf(appliance.dir, 'restore').then(async (folder) => {
    dir = folder;
    return up(folder, '--backend', 'nspawn', '--wait');
  });
  // a kind at a time each: three sessions of three clients
  await Promise.all(
    kinds.map(async (kind) => {
      for (const project of projects.filter((it) => it.kind === kind)) await grow(clients, project);
    }),
  );
  const attach = `from trac.env import open_environment
from trac.attachment import Attachment
import io, sys
for name in sys.argv[1:]:
    it = Attachment(open_environment("/srv/trac/" + name), "ticket", 1)
    it.author = "dev"
    it.insert("note.txt", io.BytesIO(name.encode()), len(name))`;
  await from.run(['runuser', '-u', 'trac', '--', 'python3', '-c', attach, ...projects.map(({ name }) => name)]);
  await untilBuilt(clients);
  clients.remove();
  const url = (await second).url.replace(/\/$/, '');
  fresh = { ...appliance, dir, url, ca: path.join(dir, 'ca.crt') };
  onto = openSession(dir);
});
afterAll(async () => {
  for (const { name } of projects) await from.tryRun(['devserver', 'project', 'delete', name, '--yes']);
  await from.tryRun(['rm', '-rf', there]);
  await from.close();
  if (dir === '') return;
  await onto.close().catch(() => {});
  await discard(dir);
});

describe('a backup', () => {
  let file = '';
  let expected = '';

  it('makes a fresh appliance what the old one was', async () => {
    await shell(from, `rm -rf ${there}; mkdir -m 700 ${there}`);
    const created = await devserverIn(from).must('backup', 'create', '--to', there);
    expected = await shell(from, made);
    file = (created as unknown as { file: string }).file;
    await shell(onto, `mkdir -m 700 ${there}`);
    for (const name of [file, '/srv/system/secrets/backup/appliance']) {
      const local = path.join(dir, 'moved');
      writeFileSync(local, Buffer.from(await from.run(['base64', '-w0', name]), 'base64'));
      const text = (await must('base64', ['-w0', local])).trim();
      await onto.run(['sh', '-euc', `base64 -d > ${there}/${path.basename(name)}`], text);
    }
    file = `${there}/${path.basename(file)}`;
    // a key that is not given, and a look that changes nothing
    const { exitCode, answer } = await devserverIn(onto).ask('restore', file, '--yes');
    expect([exitCode, answer.error?.message]).toEqual([3, expect.stringMatching(/no key is given|does not open it/)]);
    const look = await devserverIn(onto).must('restore', file, '--key', `${there}/appliance`, '--dry-run');
    expect(look).toMatchObject({ parts: expect.arrayContaining(['projects/rt-0/git']) as unknown });
    expect((await devserverIn(onto).ask('restore', file, '--key', `${there}/appliance`)).exitCode).toBe(2);
    expect(await shell(onto, 'ls -A /srv/.restore')).toBe('');

    await restore(file, '--key', `${there}/appliance`);
    await losePower(random());
    expect(await settled()).toMatchObject({ phase: 'done', why: [] });
    expect(await shell(onto, made)).toBe(expected);
    expect(await onto.run(['devserver', 'doctor'])).toContain('every project is as it should be');
    await expect.poll(() => shell(onto, 'ls -A /srv/.restore')).toBe('record.json\n');
    // all of it is owned by accounts this machine has, and readable by nobody it was not
    expect(await shell(onto, 'find /srv -nouser -o -nogroup -o -perm /6000 -type f -o -perm /o+w -not -type l')).toBe('');
    expect(await shell(onto, 'tail -n 1 /srv/system/audit/$(date +%Y-%m).log')).toContain('done: devserver as it was at');
    writeFileSync(fresh.ca, await onto.run(['cat', '/srv/system/secrets/apache/ca.crt']));
  });

  it('gives people their logins, projects and rights back, and everything goes on', async () => {
    const clients = new Clients(fresh);
    try {
      for (const { name, kind } of projects.slice(0, 3)) {
        const folder = await checkedOut(clients, kind, name);
        expect(await commit(clients, kind, folder, `closes #1 after the restore of ${name}`)).toBe('yes');
        expect((await clients.curl({ path: `/trac/${name}/ticket/1`, as: 'rob' })).status).toBe(200);
        expect((await clients.curl({ path: `/trac/${name}/ticket/1`, as: 'out' })).status).toBe(403);
        const artifact = `/archiva/repository/${name}/org/example/${name}/1.0/${name}-1.0.txt`;
        expect((await clients.curl({ path: artifact, as: 'dev' })).body).toBe(`artifact of ${name}`);
        await until('the commit is built, with the history before it', async () => {
          const { body } = await clients.curl({ path: `/hudson/job/${name}/api/json?tree=builds%5Bnumber,result%5D`, as: 'dev' });
          const { builds } = JSON.parse(body) as { builds: { number: number; result: string | null }[] };
          return builds.length >= 2 && builds.every(({ result }) => result === 'SUCCESS');
        });
        await until('the ticket is closed', async () =>
          (await clients.curl({ path: `/trac/${name}/ticket/1`, as: 'dev' })).body.includes('after the restore'),
        );
      }
      await devserverIn(onto).must('newproject', 'after', '--vcs', 'git', '--member', 'dev');
    } finally {
      clients.remove();
    }
  });

  it('gives one project out of it, under another name too, into the appliance as it runs', async () => {
    const clients = new Clients(fresh);
    try {
      for (const { name, kind } of projects.slice(3, 6)) {
        const copy = `copy-${kind}`;
        const args = ['restore', file, '--key', `${there}/appliance`, '--project', name];
        expect((await devserverIn(onto).ask(...args)).answer.error?.message).toBe(`there is already a project ${name}`);
        const plan = (await devserverIn(onto).must(...args, '--as', copy, '--dry-run')) as unknown as { steps: string[] };
        expect(plan.steps[0]).toBe('place archive');
        expect((await devserverIn(onto).ask('project', 'show', copy)).exitCode).toBe(2);
        const { dropped } = (await devserverIn(onto).must(...args, '--as', copy)) as unknown as { dropped: string[] };
        expect(dropped).toEqual([]);
        const folder = await checkedOut(clients, kind, copy);
        expect(await commit(clients, kind, folder, `refs #1 in the copy of ${name}`)).toBe('yes');
        expect((await clients.curl({ path: `/trac/${copy}/ticket/1`, as: 'rob' })).body).toContain(`ticket of ${name}`);
        expect((await clients.curl({ path: `/trac/${copy}/ticket/1`, as: 'out' })).status).toBe(403);
        const artifact = `/archiva/repository/${copy}/org/example/${name}/1.0/${name}-1.0.txt`;
        expect((await clients.curl({ path: artifact, as: 'dev' })).body).toBe(`artifact of ${name}`);
        await until('it is built, with its history', async () => {
          const { body } = await clients.curl({ path: `/hudson/job/${copy}/api/json?tree=builds%5Bnumber,result%5D`, as: 'dev' });
          const { builds } = JSON.parse(body) as { builds: { number: number; result: string | null }[] };
          return builds.length >= 2 && builds.every(({ result }) => result === 'SUCCESS');
        });
        await until('the ticket of the copy knows the commit', async () =>
          (await clients.curl({ path: `/trac/${copy}/ticket/1`, as: 'dev' })).body.includes('in the copy of'),
        );
      }
      // one that was deleted, with somebody who is somebody else by now
      await devserverIn(onto).must('project', 'delete', 'rt-3', '--yes');
      await devserverIn(onto).must('user', 'remove', 'rob');
      await devserverIn(onto).must('user', 'add', 'rob');
      const back = await devserverIn(onto).must('restore', file, '--key', `${there}/appliance`, '--project', 'rt-3');
      expect(back).toMatchObject({ dropped: ['rob'] });
      expect((await devserverIn(onto).must('project', 'show', 'rt-3')) as unknown).toMatchObject({
        members: { dev: 'developer' },
      });
    } finally {
      clients.remove();
    }
    expect(await onto.run(['devserver', 'doctor'])).toContain('every project is as it should be');
    const kept = "ls -A /srv/.restore; find /srv -mindepth 3 -maxdepth 6 -path '*/.stash/?*' -print";
    await expect.poll(() => shell(onto, kept)).toBe('record.json\n');
    const none = await devserverIn(onto).ask('restore', file, '--key', `${there}/appliance`, '--project', 'rt-x');
    expect(none).toMatchObject({ exitCode: 2, answer: { error: { message: 'there is no project rt-x in it' } } });
  });

  it('gives nothing of a project when a part of the appliance fails', async () => {
    const args = ['restore', file, '--key', `${there}/appliance`, '--project', 'rt-0', '--as', 'never'];
    const stopped = await onto.tryRun(['systemctl', 'stop', 'devserver-driver-trac.socket', 'devserver-driver-trac.service']);
    expect(stopped.exitCode).toBe(0);
    const { exitCode } = await devserverIn(onto).ask(...args);
    expect([5, 6]).toContain(exitCode);
    await shell(onto, 'systemctl start devserver-driver-trac.socket');
    await until('everything is taken back', async () => (await onto.tryRun(['devserver', 'job', 'resume'])).exitCode === 0);
    expect((await devserverIn(onto).ask('project', 'show', 'never')).exitCode).toBe(2);
    expect(await onto.run(['devserver', 'doctor'])).toContain('every project is as it should be');
    expect(
      await shell(onto, 'find /srv -name "*never*" -not -path "/srv/system/audit/*" -not -path "/srv/system/devserverd/jobs/*"'),
    ).toBe('');
  });

  it('that does not pass is taken back, with everything that was there', async () => {
    // a repository that has lost what makes it one: nobody sees that before it is looked at
    await shell(onto, 'mv /srv/git/rt-0.git/HEAD /var/tmp/HEAD');
    const bad = (await devserverIn(onto).must('backup', 'create', '--to', there)) as unknown as { file: string };
    await shell(onto, 'mv /var/tmp/HEAD /srv/git/rt-0.git/HEAD');
    await devserverIn(onto).must('newproject', 'kept', '--vcs', 'hg', '--member', 'dev');
    const before = await shell(
      onto,
      `${made}; find /srv/hg/kept/.hg/store -type f | sort | xargs sha256sum; devserver project list`,
    );
    await restore(bad.file);
    const record = await settled();
    expect(record).toMatchObject({ phase: 'returned', why: [expect.stringContaining('rt-0 git.repository')] });
    expect(
      await shell(onto, `${made}; find /srv/hg/kept/.hg/store -type f | sort | xargs sha256sum; devserver project list`),
    ).toBe(before);
    expect(await onto.run(['devserver', 'doctor'])).toContain('every project is as it should be');
    await expect.poll(() => shell(onto, 'ls -A /srv/.restore')).toBe('record.json\n');
    expect(await shell(onto, 'test -e /run/devserver/restoring || echo open')).toBe('open\n');
  });

  // one is in the first restore here, and one of a virtual machine in qemu.e2e.ts
  if (isFull)
    it('is whole or not there, whenever the power goes while it is put in place', { timeout: 3_600_000 }, async () => {
      const cuts = 10;
      for (let cut = 0; cut < cuts; cut += 1) {
        await restore(file, '--key', `${there}/appliance`);
        await losePower((cut + random()) / cuts);
        expect(await settled()).toMatchObject({ phase: 'done' });
        expect(await shell(onto, made)).toBe(expected);
        await expect.poll(() => shell(onto, 'ls -A /srv/.restore')).toBe('record.json\n');
      }
    });

  it('lets nobody in while it is looked at', async () => {
    const clients = new Clients(fresh);
    try {
      await shell(onto, 'touch /run/devserver/restoring');
      expect((await clients.curl({ path: '/trac/rt-0', as: 'dev' })).status).toBe(503);
      expect((await clients.curl({ path: '/git/rt-0.git/info/refs?service=git-receive-pack', as: 'dev' })).status).toBe(503);
      expect((await clients.curl({ path: '/trac/rt-0' })).status).toBe(401);
      await shell(onto, 'rm /run/devserver/restoring');
      expect((await clients.curl({ path: '/trac/rt-0', as: 'dev' })).status).toBe(200);
    } finally {
      clients.remove();
    }
  });

  it('that is ended while it is prepared leaves nothing, and the live data as it was', {
    timeout: isFull ? 3_600_000 : 1_200_000,
  }, async () => {
    const before = await shell(onto, made);
    const points = isFull ? 50 : 6;
    const command = `exec devserver restore ${file} --yes --no-reboot --json`;
    const begun = performance.now();
    await shell(onto, command);
    let whole = (performance.now() - begun) / 1000;
    // it waits for the next start: nothing else may come between, and it can be given up
    expect((await devserverIn(onto).ask('restore', file, '--yes')).exitCode).toBe(7);
    await devserverIn(onto).must('restore', '--cancel');
    expect(await shell(onto, 'ls -A /srv/.restore')).toBe('');
    let hits = 0;
    for (let point = 0; point < points; point += 1) {
      const signal = ['KILL', 'INT', 'TERM'][point % 3] ?? 'KILL';
      const after = `${(whole * (point + 0.5)) / points}s`;
      const args = ['--preserve-status', `--signal=${signal}`, after, 'sh', '-euc', command];
      const seen = async (): Promise<string[]> =>
        (await shell(onto, 'find /srv/.restore /srv/.backup -mindepth 1 -maxdepth 1')).split('\n');
      // what was killed can't clean up: the next one does, as far as it comes to that
      const left = await seen();
      const started = performance.now();
      const { exitCode } = await onto.tryRun(['timeout', ...args]);
      if (exitCode === 0) {
        // the first one may have been slower than those that follow
        whole = Math.min(whole, (performance.now() - started) / 1000);
        await devserverIn(onto).must('restore', '--cancel');
      } else hits += 1;
      expect(signal === 'KILL' ? [0, 128, 137] : [0, 130, 143], `${signal} after ${after}`).toContain(exitCode);
      if (signal !== 'KILL')
        expect(
          (await seen()).filter((it) => !left.includes(it)),
          `${signal} after ${after}`,
        ).toEqual([]);
    }
    counted({ kills: hits });
    expect(hits, 'most come before it is done').toBeGreaterThan(points / 2);
    expect(await shell(onto, made)).toBe(before);
    await shell(onto, 'head -c 5000 /dev/urandom > /var/tmp/none');
    expect((await devserverIn(onto).ask('restore', '/var/tmp/none', '--yes')).exitCode).toBe(3);
    expect(await shell(onto, 'ls -A /srv/.restore /srv/.backup')).toBe(empty);
  });
});

const empty = '/srv/.backup:\n\n/srv/.restore:\n';
