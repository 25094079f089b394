import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Clients } from './support/clients.ts';
import { devserverIn, until } from './support/devserver.ts';
import { trustOutside } from './support/outside.ts';
import { passwordOf } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';
import { checkedOut, kinds } from './support/working-copies.ts';

/** The templates that docs/first-project.md does not walk through, each from newproject to a green build of its first commit. */
const run = `t${Date.now().toString(36)}`;
const appliance = inject('appliance');
const clients = new Clients(appliance);
const made: string[] = [];
let session: Session;
let distrust: () => Promise<void>;

beforeAll(async () => {
  session = openSession(appliance.dir);
  distrust = await trustOutside(session);
});
afterAll(async () => {
  for (const name of made) await session?.tryRun(['devserver', 'project', 'delete', '--yes', name]);
  await session?.tryRun(['rm', '-r', own]);
  await distrust?.();
  await session?.close();
  clients.remove();
});

async function newproject(name: string, ...more: string[]): Promise<void> {
  made.push(name);
  await devserverIn(session).must('newproject', name, '--title', 'The <shop>', '--member', 'ann:admin', ...more);
}

/** Has Hudson build the project as a person does who presses the button, and returns the log. */
async function built(name: string): Promise<string> {
  const job = `/hudson/job/${name}`;
  expect(await clients.status({ method: 'POST', path: `${job}/build`, as: 'ann' })).toBe(302);
  const result = await until(
    'the build ended',
    async () => {
      const { status, body } = await clients.curl({ path: `${job}/1/api/json?tree=result`, as: 'ann' });
      return status === 200 && ((JSON.parse(body) as { result: string | null }).result ?? undefined);
    },
    900,
  );
  const log = (await clients.curl({ path: `${job}/1/consoleText`, as: 'ann' })).body;
  expect(result, log.slice(-4000)).toBe('SUCCESS');
  return log;
}

async function startPage(name: string): Promise<string> {
  const { status, body } = await clients.curl({ path: `/trac/${name}/wiki/WikiStart`, as: 'ann' });
  expect(status).toBe(200);
  return body;
}

describe('the template maven-library', () => {
  const name = `library-${run}`;

  it('makes a project with a start page', async () => {
    await newproject(name, '--template', 'maven-library', '--vcs', 'git');
    const page = await startPage(name);
    expect(page).toContain('The &lt;shop&gt;');
    for (const link of [`/archiva/repository/${name}/`, `/hudson/job/${name}`]) expect(page).toContain(link);
  });

  it('is built green from its first commit, and deployed', async () => {
    const log = await built(name);
    expect(log).toContain('Tests run: 1, Failures: 0');
    expect(log).toContain('BUILD SUCCESS');
    const at = `/archiva/repository/${name}/project/${name}/0.1.0-SNAPSHOT`;
    const metadata = await clients.curl({ path: `${at}/maven-metadata.xml`, as: 'ann' });
    const version = /<value>(0\.1\.0-[0-9.]+-[0-9]+)<\/value>/.exec(metadata.body)?.[1];
    const file = clients.fresh('library.jar');
    const login = ['--cacert', appliance.ca, '--user', `ann:${passwordOf('ann')}`];
    const url = clients.url(`${at}/${name}-${version}.jar`);
    await clients.must('curl', ['--silent', '--fail', ...login, '--output', file, '--', url]);
    const listed = "import sys, zipfile; print('\\n'.join(zipfile.ZipFile(sys.argv[1]).namelist()))";
    expect((await clients.must('python3', ['-c', listed, file])).split('\n')).toContain('project/Greeting.class');
    // what deploying from one's own computer needs stands in the first commit
    const pom = readFileSync(path.join(await checkedOut(clients, 'git', name, 'ann'), 'pom.xml'), 'utf8');
    expect(pom).toContain(`<repository><id>${name}</id><url>${appliance.url}/archiva/repository/${name}/</url></repository>`);
  });
});

describe('the template node', () => {
  const name = `package-${run}`;

  it('makes a project with a start page', async () => {
    await newproject(name, '--template', 'node', '--vcs', 'git', '--no-maven');
    const page = await startPage(name);
    expect(page).toContain(`/hudson/job/${name}`);
    expect(page).not.toContain('Maven repository');
    const manifest = readFileSync(path.join(await checkedOut(clients, 'git', name, 'ann'), 'package.json'), 'utf8');
    expect(JSON.parse(manifest)).toMatchObject({ name, description: 'The <shop>' });
  });

  it('is built green from its first commit', async () => {
    const log = await built(name);
    expect(log).toContain('$ npm install');
    expect(log).toMatch(/^# pass 1$|pass 1$/m);
    expect(log).toMatch(/fail 0$/m);
  });

  it('needs nothing from outside to be built', async () => {
    const script = `cd $(mktemp -d); export HOME=$PWD; git -c safe.directory='*' clone -q /srv/git/$1.git work; cd work
      unshare --net sh -euc 'ip -o link | grep -vc lo: || true; timeout 60 npm install --no-audit --no-fund; npm test'`;
    const { exitCode, stdout, stderr } = await session.tryRun(['sh', '-euc', script, 'sh', name]);
    expect(exitCode, `${stdout}${stderr}`).toBe(0);
    expect(stdout).toMatch(/^0\n/);
    expect(stdout).toMatch(/pass 1$/m);
  });
});

/** A template of the site's own. */
const own = `/srv/system/templates/${run}`;
const bytes = '89504e470d0a1a0a000000fffe0d0a80';

describe("a site's own template", () => {
  it.each(kinds)(
    'arrives byte for byte, with its modes, in %s',
    async (kind) => {
      const make = `mkdir -p "$1/files/bin"; cd "$1"; printf 'title: Own\\nsummary: with bytes\\n' > template.yaml
      python3 -c "open('files/logo.png', 'wb').write(bytes.fromhex('${bytes}') * 4096)"
      python3 -c "open('files/bin/tool', 'wb').write(bytes.fromhex('7f454c4600ff0d0a'))"; chmod 755 files/bin/tool
      mkdir -p wiki/Rules; echo 'Our rules for [wiki:WikiStart]' > wiki/Rules/Review`;
      await session.run(['sh', '-euc', make, 'sh', own]);
      const name = `own-${kind}-${run}`;
      await newproject(name, '--template', run, '--vcs', kind, '--no-maven', '--no-ci');
      const page = await clients.curl({ path: `/trac/${name}/wiki/Rules/Review`, as: 'ann' });
      expect([page.status, page.body]).toEqual([200, expect.stringContaining('Our rules for')]);
      const folder = await checkedOut(clients, kind, name, 'ann');
      expect(readFileSync(path.join(folder, 'logo.png')).equals(Buffer.from(bytes.repeat(4096), 'hex'))).toBe(true);
      expect(readFileSync(path.join(folder, 'bin/tool')).toString('hex')).toBe('7f454c4600ff0d0a');
      expect([
        statSync(path.join(folder, 'bin/tool')).mode & 0o111,
        statSync(path.join(folder, 'logo.png')).mode & 0o111,
      ]).toEqual([0o111, 0]);
    },
    60_000,
  );

  it('is refused with a link in it, and nothing is made', async () => {
    await session.run(['ln', '-s', '/etc/passwd', `${own}/files/notes.txt`]);
    const { exitCode, answer } = await devserverIn(session).ask('newproject', `linked-${run}`, '--template', run, '--vcs', 'git');
    expect(exitCode).not.toBe(0);
    expect(answer.error?.message).toBe(`${own}/files/notes.txt is a link`);
    expect((await session.tryRun(['test', '-e', `/srv/git/linked-${run}.git`])).exitCode).toBe(1);
  });
});
