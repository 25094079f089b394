import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { archivaDeploy, archivaRest, hudsonCall, layOutApps, layOutRepository, setRole } from './support/apps.ts';
import { Clients, verdict } from './support/clients.ts';
import { mavenDeploy } from './support/maven.ts';
import { passwordOf, projects, type TestProject } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';
import { publish, talk } from './support/slirp.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);
const run = Date.now().toString(36);
let session: Session;

/** The traps of facts.md that give wrong access without any error; the numbers are its own. */
describe('trap', () => {
  beforeAll(async () => {
    session = openSession(appliance.dir);
    await layOutApps(session, projects);
  });
  afterAll(async () => {
    clients.remove();
    await session.close();
  });

  it('1: Hudson shows a job to no other login, and its seed says which version wrote it', async () => {
    expect(await session.run(['cat', '/srv/ci/hudson/config.xml'])).toContain('<version>3.3.2</version>');
    const login = `out:${passwordOf('out')}`;
    // past the front: Hudson's own answer
    expect((await hudsonCall(session, 'GET', 'job/shop/', undefined, login)).status).toBe(404);
    expect((await hudsonCall(session, 'GET', 'view/All/job/shop/api/json', undefined, login)).status).toBe(404);
    expect(await jobsSeenBy('out')).toEqual(['oldopen', 'open', 'other']);
    expect(await jobsSeenBy('rob')).not.toContain('other');
    expect(await jobsSeenBy('rob')).toContain('shop');
  });

  it('2: Hudson knows a directory group as ROLE_ and the name in capitals, and by no other spelling', async () => {
    const { body } = await clients.curl({ path: '/hudson/whoAmI', as: 'dev' });
    expect(body).toContain('ROLE_SHOP.DEVELOPERS');
    const seen: Record<string, number> = {};
    for (const sid of ['shop.developers', 'SHOP.DEVELOPERS', 'ROLE_shop.developers', 'ROLE_SHOP.DEVELOPERS']) {
      const name = `spelling-${randomInt(1e9)}`;
      const matrix = `<hudson.security.AuthorizationMatrixProperty><permission>hudson.model.Item.Read:${sid}</permission></hudson.security.AuthorizationMatrixProperty>`;
      expect(
        (await hudsonCall(session, 'POST', `createItem?name=${name}`, `<project><properties>${matrix}</properties></project>`))
          .status,
      ).toBe(200);
      seen[sid] = (await hudsonCall(session, 'GET', `job/${name}/`, undefined, `dev:${passwordOf('dev')}`)).status;
      await hudsonCall(session, 'POST', `job/${name}/doDelete`);
    }
    expect(seen).toEqual({
      'shop.developers': 404,
      'SHOP.DEVELOPERS': 404,
      'ROLE_shop.developers': 404,
      'ROLE_SHOP.DEVELOPERS': 200,
    });
  });

  it('3: no second authority stands beside the access table of Subversion', async () => {
    const maps = await session.run(['sh', '-c', 'cat /proc/$(systemctl show --property MainPID --value apache2.service)/maps']);
    expect(maps).toContain('mod_dav_svn.so');
    expect(maps).not.toContain('mod_authz_svn.so');
    expect(
      (
        await session.tryRun([
          'grep',
          '-rEi',
          '^[^#]*authz_?svn',
          '/etc/apache2/apache2.conf',
          '/etc/apache2/devserver.conf',
          '/etc/devserver',
        ])
      ).stdout,
    ).toBe('');
    expect(verdict(await clients.svn('out', 'checkout', clients.url('/svn/shop'), clients.fresh('out')))).toBe('403');
    expect(verdict(await clients.svn('out', 'checkout', clients.url('/svn/open'), clients.fresh('out')))).toBe('yes');
  });

  it('4: a ;parameter gets past no refusal of the front, although Tomcat would drop it', async () => {
    const rest = 'restServices/redbackServices/userService';
    expect((await archivaRest(session, 'GET', 'redbackServices/userService;x=1/isAdminUserExists', undefined, null)).body).toBe(
      'true',
    );
    const tricks = [
      ';x=1/createAdminUser',
      '/createAdminUser;x=1',
      '/;/createAdminUser',
      '/x/..;/createAdminUser',
      '%3bx/createAdminUser',
      '/%2e/createAdminUser',
      '/..%2fuserService/createAdminUser',
      '%2fcreateAdminUser',
      '/x%5c../createAdminUser',
      '/createAdminUser',
      '//createAdminUser',
      '/%63reateAdminUser',
    ];
    const codes = [];
    for (const trick of tricks) {
      for (const as of ['dev', 'admin'] as const) {
        const status = await clients.status({
          method: 'POST',
          path: `/archiva/${rest}${trick}`,
          as,
          headers: ['Content-Type: application/json', `Origin: ${appliance.url}`],
          body: '{}',
        });
        if (status !== 403 && status !== 404) codes.push(`${as} ${trick}: ${status}`);
      }
    }
    expect(codes).toEqual([]);
    for (const path of ['/hudson/;/script', '/hudson/script;x', '/hudson;x/script', '/hudson/x/..;/script'])
      expect({ path, status: await clients.status({ path, as: 'admin' }) }).toEqual({ path, status: 403 });
  });

  it('5: nobody can make an administrator of Archiva, with or without a login', async () => {
    for (const login of [null, `dev:${passwordOf('dev')}`]) {
      const { status, body } = await archivaRest(session, 'POST', 'redbackServices/userService/createAdminUser', intruder, login);
      expect({ status, body }).not.toEqual({ status: 200, body: 'true' });
    }
    expect(await intruderGetsIn()).toBe(false);
    const administrators = JSON.parse(
      (await archivaRest(session, 'GET', 'redbackServices/roleManagementService/getRole/System%20Administrator')).body,
    ) as { users: { username: string }[] };
    expect(administrators.users.map(({ username }) => username).sort()).toEqual(['admin', 'archiva.root']);
  });

  it('5: a virgin Archiva is closed from the first answer it gives', { timeout: 1_800_000 }, async () => {
    await session.run(['systemctl', 'stop', 'devserver-tomcat@archiva.service']);
    await session.run(['rm', '-rf', '/srv/maven/archiva/db', '/srv/maven/archiva/data', '/srv/maven/archiva/bootstrapped']);
    const polling = session.run(['node', '--input-type=module', '-'], pollCreateAdminUser);
    await session.run(['systemctl', 'reset-failed']);
    await session.run(['systemctl', 'start', 'devserver-tomcat@archiva.service']);
    // its first start is the daemon's business again
    await session.run(['systemctl', 'restart', 'devserverd.service']);
    const answers = JSON.parse(await polling) as { tries: number; seen: Record<string, number> };
    expect(answers.tries).toBeGreaterThan(100);
    // it did answer, and never with a yes
    expect(Object.keys(answers.seen).filter((it) => it.startsWith('200 '))).toEqual(['200 false']);
    await untilReady();
    expect(await intruderGetsIn()).toBe(false);
    await layOutApps(session, projects);
    expect(await clients.status({ path: '/archiva/repository/open/', as: 'rob' })).toBe(200);
  });

  it('6: the guest of Archiva reads nothing, and nothing of the outside world is proxied', async () => {
    await archivaDeploy(session, 'open', `org/test/guest/${run}/guest-${run}.jar`, 'open');
    const path = `http://127.0.0.1:8081/archiva/repository/open/org/test/guest/${run}/guest-${run}.jar`;
    expect((await session.fetch({ url: path })).status).toBe(401);
    expect(
      JSON.parse(
        (await archivaRest(session, 'GET', 'redbackServices/roleManagementService/getEffectivelyAssignedRoles/guest')).body,
      ),
    ).toEqual([]);
    expect(
      JSON.parse((await archivaRest(session, 'GET', 'archivaServices/browseService/userRepositories', undefined, null)).body),
    ).toEqual([]);
    expect(
      JSON.parse((await archivaRest(session, 'GET', 'archivaServices/proxyConnectorService/getProxyConnectors')).body),
    ).toEqual([]);
    expect(
      JSON.parse((await archivaRest(session, 'GET', 'archivaServices/remoteRepositoriesService/getRemoteRepositories')).body),
    ).toEqual([]);
  });

  it('6: a revoked role in Archiva counts at the very next request', async () => {
    const shop = projects.find(({ name }) => name === 'shop') as TestProject;
    const codes: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      codes.push(await putPastTheFront(`r${round}`));
      await setRole(session, 'Repository Manager - shop', ['ann']);
      codes.push(await putPastTheFront(`x${round}`));
      await layOutRepository(session, shop);
    }
    expect(codes).toEqual(Array.from({ length: 10 }, () => [201, 401]).flat());
  });

  it("8: the port Hudson opens by itself is there, and doesn't answer the outside", async () => {
    const listening = await session.run(['ss', '--listening', '--tcp', '--numeric', '--no-header', '--processes']);
    const rows = listening.split('\n').map((line) => line.trim().split(/\s+/));
    const open = rows.filter(([, , , local]) => local !== undefined && !/^(127\.|\[::1\]|\[::ffff:127\.)/.test(local));
    const strange = open.filter(
      ([, , , local]) => ![22, 80, 443].includes(portOf(local)) && !/%lo:53|127\.0\.0\.5/.test(local ?? ''),
    );
    const hudsons = strange.filter((row) => row.join(' ').includes('java')).map(([, , , local]) => portOf(local));
    expect(hudsons.length).toBeGreaterThan(0);
    // the same way in, to a port that is meant to be open, works
    expect(await fromOutside(80, 'GET / HTTP/1.0\r\n\r\n')).toBe('answer');
    // Java's way to write a short text: Hudson's listener ends a connection that begins with an unknown word
    for (const [, , , local] of strange)
      expect({ local, outside: await fromOutside(portOf(local), '\0\u0005hello') }).toEqual({ local, outside: 'silence' });
    for (const port of hudsons) expect({ port, itself: await answersInside(port) }).toEqual({ port, itself: true });
    for (const port of [389, 8081, 8082])
      expect({ port, outside: await fromOutside(port, 'GET / HTTP/1.0\r\n\r\n') }).toEqual({ port, outside: 'silence' });
    expect(await session.run(['nft', 'list', 'ruleset'])).toMatch(/hook input priority filter; policy drop;/);
  });

  it('9: a release deployed by Maven a second time is refused, a snapshot is taken', async () => {
    const deploy = await mavenDeploy(appliance, clients);
    const artifact = `twice-${run}`;
    const release = async (content: string): Promise<number> => (await deploy('dev', 'shop', artifact, '1.0', content)).exitCode;
    expect(await release('first')).toBe(0);
    const second = await deploy('dev', 'shop', artifact, '1.0', 'second');
    expect(second.exitCode).not.toBe(0);
    expect(second.stdout).toMatch(/409|Conflict/);
    const { body } = await clients.curl({
      path: `/archiva/repository/shop/org/test/${artifact}/1.0/${artifact}-1.0.jar`,
      as: 'rob',
    });
    expect(body).toBe('first');
    for (const content of ['first', 'second']) {
      const { exitCode, stdout } = await deploy('dev', 'shop', artifact, '2.0-SNAPSHOT', content);
      expect({ exitCode, stdout: exitCode === 0 ? '' : stdout }).toEqual({ exitCode: 0, stdout: '' });
    }
    const refused = await deploy('rob', 'shop', `${artifact}-rob`, '1.0', 'rob');
    expect({ exitCode: refused.exitCode, told: /403|Forbidden/.test(refused.stdout) }).toEqual({ exitCode: 1, told: true });
  });

  it('9: neither DELETE nor another kind of file is a way to replace a release', async () => {
    const base = `/archiva/repository/shop/org/test/fixed-${run}/1.0/fixed-${run}-1.0`;
    for (const file of [`${base}.jar`, `${base}.pom`, `${base}-sources.jar`, `${base}.txt`]) {
      const codes = [];
      for (const method of ['PUT', 'PUT', 'DELETE', 'PUT'])
        codes.push(await clients.status({ method, path: file, as: 'dev', body: 'x' }));
      expect({ file, codes }).toEqual({ file, codes: [201, 409, 403, 409] });
    }
  });
});

const intruder = {
  username: 'admin',
  password: 'intruder-Passw0rd1',
  confirmPassword: 'intruder-Passw0rd1',
  fullName: 'Intruder',
  email: 'intruder@example.org',
};

/** Asks for an administrator as fast as it can until a while after Archiva has come up; counts the answers. */
const pollCreateAdminUser = `
const base = 'http://127.0.0.1:8081/archiva/restServices/';
const headers = { Accept: 'application/json', 'Content-Type': 'application/json', Origin: 'http://127.0.0.1:8081' };
const body = JSON.stringify(${JSON.stringify(intruder)});
const seen = {};
let tries = 0, after = 0;
const end = Date.now() + 1200000;
while (after < 200 && Date.now() < end) {
  tries += 1;
  let answer;
  try {
    const response = await fetch(base + 'redbackServices/userService/createAdminUser', { method: 'POST', headers, body, redirect: 'manual' });
    const text = await response.text();
    answer = response.status + ' ' + (response.status === 200 ? text : '');
    if (response.status === 200) after += 1;
  } catch { answer = 'closed'; await new Promise((resolve) => setTimeout(resolve, 5)); }
  seen[answer] = (seen[answer] ?? 0) + 1;
}
process.stdout.write(JSON.stringify({ tries, seen }));
`;

async function jobsSeenBy(person: 'out' | 'rob'): Promise<string[]> {
  const { body } = await clients.curl({ path: '/hudson/api/json', as: person });
  return (JSON.parse(body) as { jobs: { name: string }[] }).jobs
    .map(({ name }) => name)
    .filter((name) => projects.some((project) => project.name === name))
    .sort();
}

async function intruderGetsIn(): Promise<boolean> {
  return (
    (
      await archivaRest(
        session,
        'GET',
        'redbackServices/userService/getUsers',
        undefined,
        `${intruder.username}:${intruder.password}`,
      )
    ).status === 200
  );
}

/** dev deploys straight to Archiva, so that only Archiva's own opinion counts. */
async function putPastTheFront(version: string): Promise<number> {
  const url = `http://127.0.0.1:8081/archiva/repository/shop/org/test/revoked-${run}/${version}/revoked-${run}-${version}.jar`;
  const headers = { Authorization: `Basic ${Buffer.from(`dev:${passwordOf('dev')}`).toString('base64')}` };
  return (await session.fetch({ url, method: 'PUT', headers, body: 'x' })).status;
}

async function untilReady(): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const { stdout } = await session.tryRun(['devserver', 'status', '--json']);
    if (stdout.includes('{') && (JSON.parse(stdout) as { ready: boolean }).ready) return;
    await sleep(1000);
  }
  throw new Error('the appliance did not become ready again');
}

function portOf(local: string | undefined): number {
  return Number(local?.split(':').at(-1));
}

async function fromOutside(port: number, say: string): Promise<'answer' | 'end' | 'silence'> {
  const hostPort = randomInt(20_000, 30_000);
  const unpublish = await publish(appliance.dir, port, hostPort);
  try {
    return await talk(hostPort, say, port === 80 ? 60_000 : 3000);
  } finally {
    await unpublish();
  }
}

/** Whether something accepts a connection on the machine itself. */
async function answersInside(port: number): Promise<boolean> {
  const program = `require('node:net').connect(${port}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
  return (await session.tryRun(['node', '--eval', program])).exitCode === 0;
}
