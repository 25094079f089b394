import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { hudsonCall, layOutJob, layOutRepository } from './support/apps.ts';
import { type CliResult, must, run } from './support/cli.ts';
import { Clients } from './support/clients.ts';
import { layOutProject, passwordOf, type TestProject } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';

const appliance = inject('appliance');
/** A project of this file's own, so that nothing depends on what other files leave behind. */
const apps: TestProject = {
  name: 'apps',
  internal: false,
  archived: false,
  members: { ann: 'admin', dev: 'developer', rob: 'reader' },
};
const clients = new Clients(appliance);
let session: Session;

beforeAll(async () => {
  session = openSession(appliance.dir);
  if ((await session.tryRun(['test', '-e', '/srv/trac/apps/VERSION'])).exitCode !== 0) await layOutProject(appliance.dir, apps);
  await layOutRepository(session, apps);
  await layOutJob(session, apps);
});

afterAll(async () => {
  clients.remove();
  await session.close();
});

describe('one login', () => {
  it('is known to Trac by its name', async () => {
    const { status, body } = await clients.curl({ path: '/trac/apps', as: 'dev' });
    expect(status).toBe(200);
    expect(asText(body)).toContain('logged in as dev');
  });

  it('is known to Hudson by its name and its groups', async () => {
    const { body } = await clients.curl({ path: '/hudson/whoAmI', as: 'dev' });
    const text = asText(body);
    expect(text).toContain('Name: dev ');
    expect(text).toContain('"authenticated"');
    expect(text).toContain('"ROLE_APPS.DEVELOPERS"');
    expect(text).not.toContain('"ROLE_ADMINS"');
    expect(asText((await clients.curl({ path: '/hudson/whoAmI', as: 'admin' })).body)).toContain('"ROLE_ADMINS"');
  });

  it('is known to Archiva by its name, and sees its own repositories only', async () => {
    const rest = '/archiva/restServices';
    const logged = await clients.curl({ path: `${rest}/redbackServices/loginService/isLogged`, as: 'dev', headers: json });
    expect(JSON.parse(logged.body)).toMatchObject({ username: 'dev' });
    const list = { path: `${rest}/archivaServices/browseService/userRepositories`, headers: json };
    const seenBy = async (person: 'dev' | 'rob' | 'out'): Promise<string[]> =>
      (JSON.parse((await clients.curl({ ...list, as: person })).body) as { id: string }[]).map(({ id }) => id);
    expect(await seenBy('dev')).toContain('apps');
    expect(await seenBy('rob')).toContain('apps');
    for (const name of await seenBy('out'))
      expect(['other', 'open', 'oldopen'], 'repositories of projects that are none of their business').toContain(name);
  });

  it('carries a change to Subversion, git and Mercurial, and to nobody with another password', async () => {
    await commitSvn('first');
    await commitGit('first');
    await commitHg('first');
    for (const where of ['/svn/apps/trunk/', '/git/apps.git/info/refs?service=git-upload-pack', '/hg/apps?cmd=capabilities']) {
      expect([where, await clients.status({ path: where, as: 'dev' })]).toEqual([where, 200]);
      expect([where, await clients.status({ path: where, login: 'dev:wrong-Passw0rd' })]).toEqual([where, 401]);
      expect([where, await clients.status({ path: where, as: 'out' })]).toEqual([where, 403]);
    }
  });

  it('deploys with Maven once, and gets back what was deployed', { timeout: 600_000 }, async () => {
    const maven = await mavenProject();
    const first = await maven('dev', 'deploy');
    expect(first.exitCode, first.stdout.slice(-3000)).toBe(0);
    const second = await maven('dev', 'deploy');
    expect(second.exitCode, 'a release must not be replaced').not.toBe(0);
    expect(second.stdout).toMatch(/409/);

    const got = path.join(maven.repository, 'org/example/apps');
    rmSync(got, { recursive: true });
    const get = [
      getGoal,
      `-Dartifact=org.example:apps:${maven.version}`,
      `-DremoteRepositories=devserver::default::${appliance.url}/archiva/repository/apps`,
      '-Dtransitive=false',
    ];
    const reader = await maven('rob', ...get);
    expect(reader.exitCode, reader.stdout.slice(-3000)).toBe(0);
    expect(readdirSync(path.join(got, maven.version))).toContain(`apps-${maven.version}.jar`);

    const jar = `/archiva/repository/apps/org/example/apps/${maven.version}/apps-${maven.version}.jar`;
    expect(await clients.status({ path: jar, as: 'rob' })).toBe(200);
    expect(await clients.status({ path: jar, as: 'out' })).toBe(403);
  });
});

describe('the address people use', () => {
  it.each([
    '/hudson',
    '/hudson/job/apps',
    '/hudson/login',
    '/archiva',
    '/archiva/repository/apps',
    '/trac/apps/login',
    '/svn/apps/trunk',
  ])('stays the same through the redirects of %s', async (start) => {
    for (const [at, location] of await redirects(start))
      expect([at, new URL(location, `${appliance.url}${at}`).origin]).toEqual([at, appliance.url]);
  });

  it('is also where the login form of Hudson leads', async () => {
    const action =
      /<form method="post" name="login" action="([^"]+)"/.exec(
        (await clients.curl({ path: '/hudson/login', as: 'dev' })).body,
      )?.[1] ?? '';
    const form = {
      method: 'POST',
      path: action,
      as: 'dev',
      headers: ['Content-Type: application/x-www-form-urlencoded'],
    } as const;
    const { headers } = await clients.curl({
      ...form,
      body: `j_username=dev&j_password=${passwordOf('dev')}&from=${encodeURIComponent('/hudson/job/apps/')}`,
    });
    const location = /^location: (.*)$/im.exec(headers)?.[1]?.trim();
    expect(location).toBeDefined();
    expect(new URL(location ?? '', `${appliance.url}/hudson/`).origin).toBe(appliance.url);
  });

  it('stands in the links that Hudson and Trac make themselves', async () => {
    const job = JSON.parse((await clients.curl({ path: '/hudson/job/apps/api/json', as: 'dev' })).body) as { url: string };
    expect(job.url).toBe(`${appliance.url}/hudson/job/apps/`);
    const feed = (await clients.curl({ path: '/trac/apps/timeline?ticket=on&wiki=on&max=5&daysback=90&format=rss', as: 'dev' }))
      .body;
    const links = [...feed.matchAll(/<link>([^<]+)<\/link>/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) expect(link.startsWith(`${appliance.url}/trac/apps`), link).toBe(true);
  });

  it.each(['/hudson/', '/hudson/job/apps/', '/archiva/', '/trac/apps'])(
    'is the only one %s loads anything from',
    async (page) => {
      const { status, body } = await clients.curl({ path: page, as: 'admin' });
      expect(status).toBe(200);
      // what a browser fetches by itself; a link a person may follow is something else
      const fetched = [
        ...body.matchAll(
          /(?:\bsrc\s*=\s*|<link\b[^>]*\bhref\s*=\s*|loadScript\(|\.download\("[^"]*",|url\()\s*["']?((?:https?:)?\/\/[^"'\s>)]+)/gi,
        ),
      ].map((match) => match[1] ?? '');
      expect(fetched.filter((url) => !url.startsWith(appliance.url))).toEqual([]);
    },
  );
});

describe('a job in Hudson', () => {
  it('made by the driver, started by a developer, runs a shell step as the account hudson', async () => {
    const config = await hudsonCall(session, 'GET', 'job/apps/config.xml');
    expect(config.status).toBe(200);
    const command = 'echo "built $JOB_NAME by $(id -un) at $BUILD_URL"; test ! -r /srv/system/secrets/apache/ca.key';
    const changed = config.body.replace(
      /<builders>[\s\S]*<\/builders>|<project-properties[\s\S]*<\/project-properties>/,
      stepsInHudsonsOwnForm(command),
    );
    expect(changed).toContain(escapeXml(command));
    expect((await hudsonCall(session, 'POST', 'job/apps/config.xml', changed)).status).toBeLessThan(400);
    const number = await nextBuild();
    expect(await clients.status({ method: 'POST', path: '/hudson/job/apps/build', as: 'rob' })).toBe(403);
    expect(await clients.status({ method: 'POST', path: '/hudson/job/apps/build', as: 'dev' })).toBe(302);
    expect(await resultOf(number)).toBe('SUCCESS');
    const log = (await clients.curl({ path: `/hudson/job/apps/${number}/consoleText`, as: 'dev' })).body;
    expect(log).toContain(`built apps by hudson at ${appliance.url}/hudson/job/apps/${number}/`);
  });
});

describe('Trac with repositories of three kinds in one environment', () => {
  beforeAll(async () => {
    await commitSvn('for trac');
    await commitGit('for trac');
    await commitHg('for trac');
    await connectRepositories();
  });

  it.each([
    ['gitcode', 'git'],
    ['svncode', 'svn'],
    ['hgcode', 'hg'],
  ])('browses %s: folder, file, log and annotated file', async (name, kind) => {
    const file = kind === 'svn' ? `${name}/trunk/notes.txt` : `${name}/notes.txt`;
    const index = await page(`/trac/apps/browser/${path.dirname(file)}`);
    expect(index).toContain('notes.txt');
    expect(await page(`/trac/apps/browser/${file}`)).toContain(`${kind} says for trac`);
    const log = await page(`/trac/apps/log/${file}`);
    expect(log).toContain(`${kind}: first`);
    expect(log).toContain(`${kind}: for trac`);
    const annotated = await page(`/trac/apps/browser/${file}?annotate=blame`);
    expect(annotated).toContain(`${kind} says for trac`);
    expect(annotated, 'the name of who wrote a line').toMatch(/dev|tester/);
    expect(annotated).not.toMatch(/Oops|Trac detected an internal error/);
  });

  it('shows the three in one list, and each change with its difference', async () => {
    const list = await page('/trac/apps/browser/');
    for (const name of ['gitcode', 'svncode', 'hgcode']) expect(list).toContain(name);
    for (const name of ['gitcode', 'svncode', 'hgcode']) {
      const { body } = await clients.curl({ path: `/trac/apps/log/${name}`, as: 'dev' });
      const changeset = /href="(\/trac\/apps\/changeset\/[^"?]+)/.exec(body)?.[1];
      expect(changeset, `a change of ${name}`).toBeDefined();
      expect(await page(changeset ?? '')).toContain('says for trac');
    }
  });
});

const json = ['Accept: application/json', `Origin: ${appliance.url}`];
const deployPlugin = '3.1.4';
const getGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get';

/** Checks out, writes the same file, commits; what was there before doesn't matter. */
async function commitSvn(word: string): Promise<void> {
  const copy = clients.fresh('svn');
  succeeded(await clients.svn('dev', 'checkout', '--quiet', clients.url('/svn/apps/trunk'), copy));
  const isNew = !existsSync(path.join(copy, 'notes.txt'));
  appendFileSync(path.join(copy, 'notes.txt'), `svn says ${word}\n`);
  if (isNew) succeeded(await clients.svn('dev', 'add', '--quiet', path.join(copy, 'notes.txt')));
  succeeded(await clients.svn('dev', 'commit', '--quiet', '--message', `svn: ${word}`, copy));
}

async function commitGit(word: string): Promise<void> {
  const copy = clients.fresh('git');
  succeeded(await clients.git('clone', '--quiet', clients.url('/git/apps.git', 'dev'), copy));
  appendFileSync(path.join(copy, 'notes.txt'), `git says ${word}\n`);
  succeeded(await clients.git('-C', copy, 'add', 'notes.txt'));
  succeeded(await clients.git('-C', copy, 'commit', '--quiet', '--message', `git: ${word}`));
  succeeded(await clients.git('-C', copy, 'push', '--quiet', 'origin', 'HEAD:main'));
}

async function commitHg(word: string): Promise<void> {
  const copy = clients.fresh('hg');
  succeeded(await clients.hg('clone', '--quiet', clients.url('/hg/apps', 'dev'), copy));
  appendFileSync(path.join(copy, 'notes.txt'), `hg says ${word}\n`);
  succeeded(await clients.hg('--cwd', copy, 'commit', '--quiet', '--addremove', '--message', `hg: ${word}`));
  succeeded(await clients.hg('--cwd', copy, 'push', '--quiet', clients.url('/hg/apps', 'dev')));
}

/** As newproject will: the connectors switched on, the repositories named, Subversion's cache filled. */
async function connectRepositories(): Promise<void> {
  const asTrac = [
    'setpriv',
    '--reuid',
    'trac',
    '--regid',
    'trac',
    '--init-groups',
    'env',
    'HOME=/nonexistent',
    'PYTHON_EGG_CACHE=/var/cache/trac-eggs',
    'trac-admin',
    '/srv/trac/apps',
  ];
  const known = await session.run([...asTrac, 'repository', 'list']);
  const commands = [
    'config set components tracopt.versioncontrol.git.* enabled',
    'config set components tracopt.versioncontrol.svn.* enabled',
    'config set components tracext.hg.* enabled',
    'config set hg show_rev yes',
  ];
  for (const command of commands) await session.run([...asTrac, ...command.split(' ')]);
  const repositories = [
    ['gitcode', '/srv/git/apps.git', 'git'],
    ['svncode', '/srv/svn/apps', 'svn'],
    ['hgcode', '/srv/hg/apps', 'hg'],
  ] as const;
  for (const [name, folder, kind] of repositories) {
    if (!known.includes(name)) await session.run([...asTrac, 'repository', 'add', name, folder, kind]);
    await session.run([...asTrac, 'repository', 'resync', name]);
  }
}

/** A page of Trac as text, seen by the developer. */
async function page(pathname: string): Promise<string> {
  const { status, body } = await clients.curl({ path: pathname, as: 'dev' });
  const text = asText(body);
  expect(status, `${pathname}: ${text.slice(0, 600)}`).toBe(200);
  return text;
}

/** Follows redirects to their end; each answer's path with its Location. */
async function redirects(start: string): Promise<[string, string][]> {
  const seen: [string, string][] = [];
  for (let at = start; seen.length < 5; ) {
    const { headers } = await clients.curl({ path: at, as: 'dev' });
    const location = /^location: (.*)$/im.exec(headers)?.[1]?.trim();
    if (location === undefined) return seen;
    seen.push([at, location]);
    const { pathname, search } = new URL(location, `${appliance.url}${at}`);
    at = `${pathname}${search}`;
  }
  throw new Error(`${start} goes round in circles: ${JSON.stringify(seen)}`);
}

/**
 * Build steps as Hudson 3 itself writes them. The older `<builders>` is taken by createItem, but once Hudson has
 * been restarted, a later POST of it answers 200, is written to the disk, and changes nothing that is run.
 */
function stepsInHudsonsOwnForm(command: string): string {
  const step = `<hudson.tasks.Shell><disabled>false</disabled><command>${escapeXml(command)}</command></hudson.tasks.Shell>`;
  const list = `<describable-list-property><originalValue class="hudson.util.DescribableList">${step}</originalValue><propertyOverridden>false</propertyOverridden></describable-list-property>`;
  return `<project-properties class="concurrent-hash-map"><entry><string>builders</string>${list}</entry></project-properties>`;
}

async function nextBuild(): Promise<number> {
  const { body } = await hudsonCall(session, 'GET', 'job/apps/api/json');
  return (JSON.parse(body) as { nextBuildNumber: number }).nextBuildNumber;
}

async function resultOf(number: number): Promise<string> {
  for (let attempt = 0; attempt < 360; attempt += 1) {
    const { status, body } = await hudsonCall(session, 'GET', `job/apps/${number}/api/json`);
    const result = status === 200 ? (JSON.parse(body) as { result: string | null }).result : null;
    if (result !== null) return result;
    await sleep(500);
  }
  return 'still running after three minutes';
}

interface Maven {
  (person: 'dev' | 'rob', ...args: string[]): Promise<CliResult>;
  readonly repository: string;
  readonly version: string;
}

/** A project of one class, settings with each person's login, a trust store with the appliance's authority in it. */
async function mavenProject(): Promise<Maven> {
  const folder = clients.freshFolder('maven');
  const repository = path.join(folder, 'repository');
  const version = `1.${Date.now()}`;
  mkdirSync(path.join(folder, 'src/main/java'), { recursive: true });
  writeFileSync(path.join(folder, 'src/main/java/Hello.java'), 'public class Hello {}\n');
  writeFileSync(path.join(folder, 'pom.xml'), pom(version));
  const trust = path.join(folder, 'trust.p12');
  const home = path.dirname(path.dirname(realpathSync((await must('which', ['java'])).trim())));
  // what the JDK trusts already stays trusted: Maven's plugins come from elsewhere
  copyFileSync(path.join(home, 'lib/security/cacerts'), trust);
  await must('keytool', [
    '-importcert',
    '-noprompt',
    '-alias',
    'devserver',
    '-file',
    appliance.ca,
    '-keystore',
    trust,
    '-storepass',
    'changeit',
  ]);
  const maven = (person: 'dev' | 'rob', ...args: string[]): Promise<CliResult> => {
    const settings = path.join(folder, `settings-${person}.xml`);
    writeFileSync(
      settings,
      `<settings><servers><server><id>devserver</id><username>${person}</username><password>${passwordOf(person)}</password></server></servers></settings>\n`,
      { mode: 0o600 },
    );
    const options = [
      '--batch-mode',
      '--no-transfer-progress',
      '--settings',
      settings,
      `-Dmaven.repo.local=${repository}`,
      '-DskipTests',
    ];
    return run('mvn', [...options, ...args], {
      cwd: folder,
      env: {
        ...clients.environment,
        MAVEN_OPTS: `-Xmx256m -Djavax.net.ssl.trustStore=${trust} -Djavax.net.ssl.trustStorePassword=changeit`,
      },
    });
  };
  return Object.assign(maven, { repository, version });
}

function pom(version: string): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.example</groupId><artifactId>apps</artifactId><version>${version}</version>
  <properties><maven.compiler.source>8</maven.compiler.source><maven.compiler.target>8</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding><maven.test.skip>true</maven.test.skip></properties>
  <build><plugins><plugin><groupId>org.apache.maven.plugins</groupId><artifactId>maven-deploy-plugin</artifactId><version>${deployPlugin}</version></plugin></plugins></build>
  <distributionManagement><repository><id>devserver</id><url>${appliance.url}/archiva/repository/apps</url></repository></distributionManagement>
</project>
`;
}

function succeeded({ exitCode, stdout, stderr }: CliResult): void {
  if (exitCode !== 0) throw new Error(`ended with ${exitCode}\n${stdout}\n${stderr}`);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What a person reads on a page. */
function asText(body: string): string {
  const bare = body.replace(/<script\b[\s\S]*?<\/script>/gi, ' ').replace(/<[^>]*>/g, ' ');
  const entities: Record<string, string> = {
    '&#34;': '"',
    '&quot;': '"',
    '&#39;': "'",
    '&lt;': '<',
    '&gt;': '>',
    '&amp;': '&',
    '&nbsp;': ' ',
  };
  return bare.replace(/&[a-z0-9#]+;/g, (entity) => entities[entity] ?? entity).replace(/[\s\u200b\u00a0]+/g, ' ');
}
