import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { mustCli } from './support/cli.ts';
import { devserverIn, findingsAbout } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';

/** Backups of every release, as they were written then, taken back by this one. */
const appliance = inject('appliance');
const fixtures = path.join(import.meta.dirname, '../fixtures/backups');
const files = readdirSync(fixtures).filter((name) => name.endsWith('.devserver'));
const there = '/var/tmp/released-backups';
const projects = [
  { name: 'alpha', commits: "git -c safe.directory='*' --git-dir /srv/git/NAME.git rev-list --count main" },
  { name: 'beta', commits: "hg --cwd /srv/hg/NAME log --template 'x\\n' | wc -l" },
  { name: 'gamma', commits: 'svnlook youngest /srv/svn/NAME' },
];
const wanted = (name: string): string => `rel-${name}`;
let session: Session;
const inside = (script: string): Promise<string> => session.run(['sh', '-euc', script]);

beforeAll(async () => {
  session = openSession(appliance.dir);
  await inside(`umask 077; mkdir -p ${there}`);
  for (const name of [...files, 'key']) {
    const content = readFileSync(path.join(fixtures, name)).toString('base64');
    await session.run(['sh', '-euc', `base64 --decode > ${there}/${name}`], content);
  }
});
afterAll(async () => {
  for (const { name } of projects) await session.tryRun(['devserver', 'project', 'delete', wanted(name), '--yes']);
  await session.tryRun(['rm', '-rf', there]);
  await session.close();
});

it('there are some', () => {
  expect(files).toContain('release-0.1.0.devserver');
});

describe.each(files)('%s', (file) => {
  const key = ['--key', `${there}/key`];

  it('is whole, without an appliance', async () => {
    expect(await mustCli(['verify-backup', path.join(fixtures, file), '--key', path.join(fixtures, 'key')])).toContain(
      'is whole',
    );
  });

  it('restores into a scratch tree, and everything in it is looked at', async () => {
    const { looks } = (await devserverIn(session).must('backup', 'verify', '--deep', `${there}/${file}`, ...key)) as unknown as {
      looks: number;
    };
    expect(looks).toBeGreaterThanOrEqual(4 * projects.length);
    const said = await session.run(['devserver', 'restore', `${there}/${file}`, ...key, '--dry-run']);
    expect(said).toContain('would take the place of what is here');
  });

  it.each(projects)('gives $name back', async ({ name, commits }) => {
    const as = wanted(name);
    await devserverIn(session).must('restore', `${there}/${file}`, ...key, '--project', name, '--as', as);
    expect((await inside(commits.replace('NAME', as))).trim()).toBe('2');
    const tickets = `python3 -c "import sqlite3; print(sqlite3.connect('/srv/trac/${as}/db/trac.db').execute('select summary from ticket').fetchall())"`;
    expect(await inside(tickets)).toBe(`[('ticket of ${name}',)]\n`);
    expect(await inside(`find /srv/trac/${as}/files -type f -exec cat {} +`)).toBe('attached');
    expect(Number(await inside(`find /srv/ci/hudson/jobs/${as}/builds -name build.xml | wc -l`))).toBeGreaterThan(0);
    expect(await findingsAbout(devserverIn(session), as)).toEqual([]);
    await devserverIn(session).must('project', 'delete', as, '--yes');
  });
});

describe('data of an earlier form', () => {
  const [file = ''] = files;
  const taken = (): string[] => [
    'restore',
    `${there}/${file}`,
    '--key',
    `${there}/key`,
    '--project',
    'alpha',
    '--as',
    wanted('alpha'),
  ];
  const catalogue = '/usr/share/devserver/catalogue.json';
  /** As if git's data had a second form, in which the branch `migrated` is where main is. */
  const withMigration = (check: string): Promise<string> =>
    inside(`cp -n ${catalogue} ${there}/catalogue.json; node -e '
const fs = require("fs"); const it = JSON.parse(fs.readFileSync("${there}/catalogue.json"));
const git = it.components.find(({ name }) => name === "git").backup; git.format = 2;
const run = (...words) => ["/usr/bin/git", "--git-dir={place}", ...words];
git.migrations = [{ from: 1, root: "repository", apply: run("update-ref", "refs/heads/migrated", "refs/heads/main"), check: run("rev-parse", "--verify", "${check}") }];
fs.writeFileSync("${catalogue}", JSON.stringify(it));'`);
  const branches = `git -c safe.directory='*' --git-dir /srv/git/${wanted('alpha')}.git for-each-ref --format '%(refname:short)'`;

  afterAll(async () => {
    await session.tryRun(['cp', `${there}/catalogue.json`, catalogue]);
  });

  it('is brought to this one before it is put in place', async () => {
    await withMigration('refs/heads/migrated');
    await devserverIn(session).must('backup', 'verify', '--deep', `${there}/${file}`, '--key', `${there}/key`);
    await devserverIn(session).must(...taken());
    expect(await inside(branches)).toBe('main\nmigrated\n');
    await devserverIn(session).must('project', 'delete', wanted('alpha'), '--yes');
  });

  it('is not put in place where that does not come right, and nothing of it is left', async () => {
    await withMigration('refs/heads/another');
    const { exitCode, answer } = await devserverIn(session).ask(...taken());
    expect([exitCode, answer.error?.message]).toEqual([3, "projects/alpha/git repository can't be brought from form 1 to 2"]);
    expect(await inside(`ls -d /srv/git/${wanted('alpha')}.git /srv/.restore/projects 2>/dev/null || true`)).toBe('');
  });
});
