import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { mavenUrl } from '../../src/image/sources/maven.ts';
import { build } from './support/builds.ts';
import { Clients, verdict } from './support/clients.ts';
import { until } from './support/devserver.ts';
import { hostAuthorities } from './support/host-authorities.ts';
import { askDriver } from './support/inside.ts';
import { passwordOf } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';
import { fileTicket } from './support/tracker.ts';
import { checkedOut, type Kind, kinds } from './support/working-copies.ts';

/** The walk of docs/first-project.md: one command, then all that a project is for, with the clients people have. */
const run = `r${Date.now().toString(36)}`;
const { host: central, pathname: pom } = new URL(await mavenUrl('junit:junit:4.13.2:pom', undefined));
const authorities = hostAuthorities();
/** The project whose build only looks outside, and its template. */
const outside = `outside-${run}`;
/** Whether the outside shows certificates that only this computer's own authorities vouch for. */
let needsAuthority = false;
const appliance = inject('appliance');
const clients = new Clients(appliance);
let session: Session;

beforeAll(async () => {
  session = openSession(appliance.dir);
  for (const name of ['ann', 'out'] as const)
    await askDriver(appliance.dir, 'ldap', 'apply', { kind: 'user', name, fullName: name, password: passwordOf(name) });
});
afterAll(async () => {
  for (const name of [...kinds.map(nameOf), outside]) await session?.tryRun(['devserver', 'project', 'delete', '--yes', name]);
  await session?.tryRun(['rm', '-r', `/srv/system/templates/${outside}`]);
  await session?.close();
  clients.remove();
});

const nameOf = (kind: Kind): string => `whole-${kind}-${run}`;

/** Whether what this server shows is vouched for by somebody the system trusts. */
async function isTrusted(host: string): Promise<boolean> {
  const args = ['s_client', '-connect', `${host}:443`, '-servername', host, '-verify_return_error', '-verify_hostname', host];
  return (await session.tryRun(['openssl', ...args])).exitCode === 0;
}

/** Commits what was changed under another author's name, and gives it to the appliance as ann. */
async function push(kind: Kind, name: string, folder: string, message: string): Promise<string> {
  if (kind === 'svn') return verdict(await clients.svn('ann', 'commit', '-q', '-m', message, folder));
  if (kind === 'git') {
    await clients.must('git', ['-C', folder, '-c', 'user.name=Somebody', 'commit', '-qam', message]);
    return verdict(await clients.git('-C', folder, 'push', '-q'));
  }
  await clients.must('hg', ['-R', folder, 'commit', '-u', 'Somebody', '-m', message]);
  return verdict(await clients.hg('-R', folder, 'push', '-q', clients.url(`/hg/${name}`, 'ann')));
}

describe('the outside', () => {
  it('is trusted once the authorities of this computer are added, if it needs any', async () => {
    for (const name of authorities.keys()) await session.tryRun(['devserver', 'authority', 'remove', name]);
    needsAuthority = authorities.size > 0 && !(await isTrusted(central));
    for (const [name, pem] of authorities) {
      const added = await session.run(['devserver', 'authority', 'add', '--name', name, '-'], pem);
      expect(added).toContain(`${name} is trusted by the system and by builds\n`);
      expect(added).toMatch(/SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}\n {2}valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d/);
    }
    const listed = (await session.run(['devserver', 'authority', 'list'])).split('\n');
    for (const name of authorities.keys()) expect(listed).toContain(name);
    expect(await isTrusted(central)).toBe(true);
  });

  it('is trusted by the tools of builds, each with a list of its own', async () => {
    await session.run(['sh', '-eus', outside], siteTemplate);
    await session.run(['devserver', 'newproject', outside, '--template', outside, '--vcs', 'git', '--no-maven']);
    const { stdout } = await build(session, outside);
    expect(stdout).toContain('Node.js: 200\n');
    expect(stdout).toContain('Python: 200\n');
    expect(stdout).toContain('OpenSSL: Verification: OK\n');
    // git asks in vain, but whom it asks it trusts
    expect(stdout).toMatch(/git: .*not found/);
  });

  it('is no way in: the front asks for no certificate', async () => {
    const args = ['s_client', '-connect', 'localhost:443', '-CAfile', '/srv/system/secrets/apache/ca.crt'];
    expect(await session.run(['openssl', ...args])).toContain('No client certificate CA names sent');
  });
});

describe.each(kinds)('a project with %s', (kind) => {
  const name = nameOf(kind);

  it('is made by one command and cloned by its member', async () => {
    const words = ['newproject', name, '--vcs', kind, '--template', 'maven-webapp', '--title', 'The <shop>', '--member', 'ann'];
    const { exitCode, stdout, stderr } = await session.tryRun(['devserver', ...words]);
    expect(exitCode, `${stdout}${stderr}`).toBe(0);
    expect(readFileSync(path.join(await checkedOut(clients, kind, name, 'ann'), 'pom.xml'), 'utf8')).toContain(
      'The &lt;shop&gt;',
    );
  });

  it('closes a ticket, builds and deploys what was pushed', async () => {
    await fileTicket(clients, name, 'ann', 'No greeting');
    const folder = await checkedOut(clients, kind, name, 'ann');
    const page = path.join(folder, 'src/main/webapp/index.html');
    writeFileSync(page, readFileSync(page, 'utf8').replace('</html>', `<p>Hello from ${run}</p>\n</html>`));
    expect(await push(kind, name, folder, 'Say hello, closes #1')).toBe('yes');

    const closed = await until('the ticket is closed', async () => {
      const { body } = await clients.curl({ path: `/trac/${name}/ticket/1`, as: 'ann' });
      return body.includes('resolution set to') || />fixed</.test(body) ? body : undefined;
    });
    // who pushed, not who the commit says
    expect(closed).toMatch(/trac-author[^>]*>ann</);

    const job = `/hudson/job/${name}`;
    const ended = await until(
      'the build ended',
      async () => {
        const { status, body } = await clients.curl({ path: `${job}/lastBuild/api/json?tree=number,result`, as: 'ann' });
        const { number, result } =
          status === 200 ? (JSON.parse(body) as { number: number; result: string | null }) : { result: null };
        return result === null ? undefined : { number, result };
      },
      1_200,
    );
    const log = (await clients.curl({ path: `${job}/${ended.number}/consoleText`, as: 'ann' })).body;
    expect(ended.result, log.slice(-4000)).toBe('SUCCESS');
    expect(log).toContain('BUILD SUCCESS');
    expect(log).toContain('Tests run: 1, Failures: 0');
    await until('the timeline knows of the build', async () =>
      (await clients.curl({ path: `/trac/${name}/timeline?format=rss`, as: 'ann' })).body.includes(`Build #${ended.number}`),
    );
  }, 1_800_000);

  it('serves the artifact to its member and to nobody else', async () => {
    const at = `/archiva/repository/${name}/project/${name}/0.1.0-SNAPSHOT`;
    const metadata = await clients.curl({ path: `${at}/maven-metadata.xml`, as: 'ann' });
    expect(metadata.status).toBe(200);
    const version = /<value>(0\.1\.0-[0-9.]+-[0-9]+)<\/value>/.exec(metadata.body)?.[1];
    const war = `${at}/${name}-${version}.war`;
    const file = clients.fresh('artifact.war');
    const login = ['--cacert', appliance.ca, '--user', `ann:${passwordOf('ann')}`];
    await clients.must('curl', ['--silent', '--fail', ...login, '--output', file, '--', clients.url(war)]);
    expect(await clients.must('python3', ['-c', unzipped, file])).toContain(`Hello from ${run}`);
    for (const what of [war, `${at}/maven-metadata.xml`]) {
      expect([what, await clients.status({ path: what, as: 'out' })]).toEqual([what, 403]);
      expect([what, await clients.status({ path: what })]).toEqual([what, 401]);
    }
  });
});

describe('the outside, when its authorities are removed', () => {
  it('is as strange as it was', async () => {
    for (const name of authorities.keys()) await session.run(['devserver', 'authority', 'remove', name]);
    expect(await isTrusted(central)).toBe(!needsAuthority);
    const { stdout } = await build(session, outside);
    for (const tool of ['Node.js: 200', 'Python: 200', 'OpenSSL: Verification: OK'])
      expect([tool, stdout.includes(tool)]).toEqual([tool, !needsAuthority]);
    const java = await session.run(['keytool', '-list', '-cacerts', '-storepass', 'changeit']);
    expect(java).not.toContain('devserver-');
  });
});

const unzipped = "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read('index.html').decode())";

/** A template of the site's own, whose build asks the outside with every kind of tool. */
const siteTemplate = `
mkdir -p "/srv/system/templates/$1/files"
cd "/srv/system/templates/$1"
echo hello > files/README.md
cat > template.yaml <<'EOF'
title: Outside
summary: looks outside
build:
  - [sh, -c, "node -e \\"fetch('https://${central}${pom}').then((it) => console.log('Node.js:', it.status))\\" || true"]
  - [sh, -c, "python3 -c \\"import urllib.request as it; print('Python:', it.urlopen('https://${central}${pom}').status)\\" || true"]
  - [sh, -c, "echo OpenSSL: $(openssl s_client -connect ${central}:443 -servername ${central} < /dev/null 2>&1 | grep ^Verification)"]
  - [sh, -c, "echo git: $(git ls-remote https://${central}/x.git 2>&1)"]
EOF
`;
