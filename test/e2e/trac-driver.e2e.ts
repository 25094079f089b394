import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ProjectFacts } from '../../src/kernel/project.ts';
import { randomFrom } from '../support/random.ts';
import { openSession, type Session } from './support/session.ts';
import { environment, factsOf } from './support/tracker.ts';

const appliance = inject('appliance');
const seed = process.env.DEVSERVER_SEED ?? String(Date.now());
const random = randomFrom(seed);
const rounds = process.env.DEVSERVER_TEST_SIZE === 'full' ? 40 : 3;
const unit = 'devserver-driver-trac.service';
let session: Session;

beforeAll(() => {
  session = openSession(appliance.dir);
});
afterAll(() => session.close());

/** Asks and kills the driver at some moment; what it answered, if it came to that. */
async function cutShort(verb: string, project: ProjectFacts, job: string): Promise<void> {
  const asked = environment(session, verb, project, job).catch(() => undefined);
  await sleep(random() * 80);
  await session.run(['systemctl', 'kill', '--signal=KILL', unit]).catch(() => undefined);
  await asked;
  // systemd gives a program up that dies so often
  await session.run([
    'sh',
    '-c',
    `systemctl reset-failed ${unit} devserver-driver-trac.socket; systemctl start devserver-driver-trac.socket`,
  ]);
}

const isThere = async (project: ProjectFacts): Promise<boolean> =>
  ((await environment(session, 'read', project, 'job-any-one')) as { present: boolean }).present;

/** Everything an environment consists of is in it. */
async function isWhole(name: string): Promise<boolean> {
  const program = `import sqlite3, sys
root = "/srv/trac/" + sys.argv[1]
rows = lambda query: sqlite3.connect(root + "/db/trac.db").execute(query).fetchall()
assert rows("PRAGMA integrity_check") == [("ok",)] and rows("SELECT value FROM repository WHERE name = 'dir'")
assert open(root + "/VERSION").read() and "RoleLimit" in open(root + "/conf/trac.ini").read() and open(root + "/devserver-job").read()`;
  return (await session.tryRun(['python3', '-c', program, name])).exitCode === 0;
}

describe('the driver of Trac, killed at any moment', () => {
  it('leaves an environment whole or absent, and finishes when asked again', async () => {
    const project = factsOf(appliance.url, { name: 'trac-killed' });
    const { name } = project;
    await session.run(['rm', '-rf', `/srv/trac/${name}`]);
    for (let round = 0; round < rounds; round += 1) {
      const [make, stash] = [`job-make-${round}`, `job-stash-${round}`];
      const check = async (verb: string, job: string, there: boolean): Promise<void> => {
        await cutShort(verb, project, job);
        if (await isThere(project)) expect(await isWhole(name), `seed ${seed}: ${verb} in round ${round}`).toBe(true);
        await environment(session, verb, project, job);
        expect([verb, round, await isThere(project)]).toEqual([verb, round, there]);
        if (there) expect(await isWhole(name)).toBe(true);
      };
      await check('make', make, true);
      await check('stash', stash, false);
      await check('unstash', stash, true);
      await check('remove', make, false);
    }
    expect(await session.run(['ls', '-A', '/srv/trac/.stash'])).not.toMatch(/job-(?:make|stash)-/);
  });
});

describe('the driver of Trac, asked by somebody who is not to be trusted', () => {
  it('writes nowhere but in /srv/trac, and there below plain names only', async () => {
    const before = await listing();
    const good = factsOf(appliance.url, { name: 'trac-names' });
    const job = 'job-names-1';
    const taken: string[] = [];
    const expectRefusal = async (what: string, asked: Promise<unknown>): Promise<void> => {
      await asked.then(
        () => taken.push(what),
        () => undefined,
      );
    };
    for (const name of hostileNames()) {
      const project = { ...good, name } as unknown as ProjectFacts;
      for (const verb of ['make', 'stash', 'read', 'remove'])
        await expectRefusal(`${verb} ${JSON.stringify(name)}`, environment(session, verb, project, job));
      await expectRefusal(`job ${JSON.stringify(name)}`, environment(session, 'purge', good, name as string));
      await expectRefusal(
        `event ${JSON.stringify(name)}`,
        session.driver('trac', 'event', { type: 'commit', id: '1', project, user: 'dev', changes: [] }),
      );
    }
    for (const dir of ['/etc', '../x', '/srv/../etc', '/srv/git/../../etc', '/srv/git/x\n[components]', 7]) {
      const links = { ...good.links, vcs: { ...good.links.vcs, dir } };
      await expectRefusal(`dir ${dir}`, environment(session, 'make', { ...good, links } as unknown as ProjectFacts, job));
    }
    await expectRefusal('missing', environment(session, 'apply', good, job));
    await expectRefusal('half a character', environment(session, 'make', { ...good, title: '\ud800' }, job));
    expect(taken).toEqual([]);
    await environment(session, 'remove', good, job);
    expect(await listing()).toBe(before);
  });

  it('is gone after two minutes without work, and small until then', async () => {
    await environment(session, 'read', factsOf(appliance.url, { name: 'trac-names' }), 'job-names-1');
    const pid = (await session.run(['systemctl', 'show', '--property=MainPID', '--value', unit])).trim();
    const kilobytes = Number(/^Pss:\s+(\d+)/m.exec(await session.run(['cat', `/proc/${pid}/smaps_rollup`]))?.[1]);
    console.log(`the driver of Trac takes ${(kilobytes / 1024).toFixed(0)} MB`);
    expect(kilobytes).toBeLessThan(120_000);
    expect(await session.run(['grep', '-c', 'idle_seconds: float = 120', '/usr/lib/devserver/python/driver_kit.py'])).toContain(
      '1',
    );
  });
});

async function listing(): Promise<string> {
  return session.run(['sh', '-c', 'ls -A / /srv /srv/trac /srv/trac/.stash /srv/system /tmp /var/tmp | grep -v "^job-"']);
}

/** At least 200 names no project and no job may have. */
function hostileNames(): unknown[] {
  const paths = [
    '',
    '.',
    '..',
    '/',
    '/etc',
    '../x',
    'a/b',
    '.stash',
    '.template',
    'x\0y',
    'shop\n',
    '\nshop',
    'Shop',
    'SHOP',
    'shop-',
    '-shop',
    '1shop',
  ];
  const others = [
    'a',
    'x'.repeat(41),
    'shöp',
    'ｓｈｏｐ',
    'shop ',
    ' shop',
    'shop.git',
    'shop;x',
    'sh$op',
    'sh%2fop',
    'shop\u202e',
    null,
    7,
    [],
    {},
    true,
  ];
  const letters = ['/', '.', '\0', '\n', ' ', 'A', '_', '\\', '%', '~', 'ä', '\u2028', ';', '$', '*', '?'];
  const made = Array.from({ length: 180 }, () => {
    const word = Array.from({ length: 1 + Math.floor(random() * 40) }, () =>
      random() < 0.7 ? String.fromCharCode(97 + Math.floor(random() * 26)) : '-',
    );
    word.splice(Math.floor(random() * word.length), 0, letters[Math.floor(random() * letters.length)] ?? '/');
    return word.join('');
  });
  return [...paths, ...others, ...made];
}
