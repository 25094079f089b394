import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { archivaRest } from './support/apps.ts';
import { Clients, inPairs } from './support/clients.ts';
import { until } from './support/devserver.ts';
import { askDriver } from './support/inside.ts';
import { mavenDeploy } from './support/maven.ts';
import { applyGroups, type Person, type TestProject } from './support/projects.ts';
import { ask, factsOf } from './support/resources.ts';
import { openSession, type Session } from './support/session.ts';

/** Apache is the only gate for Maven (docs/adr/0009): nobody here has a role in Archiva that would let them deploy. */
const appliance = inject('appliance');
const run = `r${Date.now().toString(36)}`;
const clients = new Clients(appliance);
const gate: TestProject = {
  name: 'gate',
  internal: false,
  archived: false,
  members: { ann: 'admin', dev: 'developer', rob: 'reader' },
};
const far: TestProject = { name: 'gatefar', internal: false, archived: false, members: {} };
let session: Session;

beforeAll(async () => {
  session = openSession(appliance.dir);
  for (const project of [gate, far]) {
    await applyGroups(appliance.dir, project);
    await group(`${project.name}.builders`, []);
    const by = { component: 'archiva', project: factsOf(project.name, { members: project.members }), job: 'job-gate' };
    await ask(session, 'make', { ...by, resource: 'content' });
    await ask(session, 'apply', { ...by, resource: 'repository' });
  }
  expect(await put('admin', `/archiva/repository/gatefar/${pathOf('secret')}`, 'far away')).toBeLessThan(300);
});
afterAll(async () => {
  await group('gate.builders', []);
  clients.remove();
  await session.close();
});

describe('a Maven repository', () => {
  it('takes deployments as the project says, by real Maven', { timeout: 600_000 }, async () => {
    const deploy = await mavenDeploy(appliance, clients);
    const outcome = async (who: Person, artifact: string, version: string): Promise<string> => {
      const { exitCode, stdout } = await deploy(
        who,
        'gate',
        `${artifact}-${run}`,
        version,
        `${artifact} ${version} ${Date.now()}`,
      );
      return exitCode === 0
        ? 'taken'
        : (/\b(?:status(?: code)?:? |Return code is: )(\d{3})/.exec(stdout)?.[1] ?? stdout.slice(-2000));
    };
    expect(await outcome('dev', 'release', '1.0')).toBe('taken');
    expect(await outcome('dev', 'release', '1.0'), 'a release stays what it was').toBe('409');
    expect(await outcome('dev', 'snapshot', '1.0-SNAPSHOT')).toBe('taken');
    expect(await outcome('dev', 'snapshot', '1.0-SNAPSHOT')).toBe('taken');
    expect(await inPairs(['rob', 'out'] as const, (who) => outcome(who, who, '1.0'))).toEqual(['403', '403']);

    await group('gate.builders', ['out']);
    expect(await outcome('out', 'built', '1.0'), 'who is a builder of the project').toBe('taken');
    await group('gate.builders', []);

    await applyGroups(appliance.dir, { ...gate, archived: true });
    expect(await outcome('dev', 'late', '1.0'), 'nobody writes to an archived project').toBe('403');
    await applyGroups(appliance.dir, gate);
  });

  it('is readable at once for whoever may, without any role in Archiva', async () => {
    const file = `/archiva/repository/gate/${pathOf('read')}`;
    expect(await put('dev', file, 'to be read')).toBe(201);
    expect(await seenBy(['ann', 'dev', 'rob', 'out'], file)).toEqual([200, 200, 200, 403]);
    await applyGroups(appliance.dir, { ...gate, internal: true });
    expect(await seenBy(['out'], file)).toEqual([200]);
    await applyGroups(appliance.dir, { ...gate, members: { rob: 'developer' } });
    expect(await seenBy(['rob', 'dev', 'out'], file)).toEqual([200, 403, 403]);
    expect(await put('rob', `${file}.txt`, 'x')).toBeLessThan(300);
    await applyGroups(appliance.dir, gate);
  });

  it('writes what it is sent and nothing else: in a store beside, uploads of one millisecond would collide', async () => {
    let count = 0;
    // jars of other tests are still being read behind their answers
    await until('an upload has written its own file only', async () => {
      const file = `${pathOf(`alone${count++}`)}.txt`;
      await session.run(['sh', '-c', 'sleep 0.1; touch /run/before-the-upload; sleep 0.1']);
      expect(await put('dev', `/archiva/repository/gate/${file}`, 'alone')).toBe(201);
      const written = await session.run(['find', '/srv/maven', '-type', 'f', '-newer', '/run/before-the-upload']);
      return written.trim() === `/srv/maven/repositories/gate/${file}`;
    });
  });

  it('lets nobody delete, move or overwrite what is not theirs', async () => {
    const file = `/archiva/repository/gate/${pathOf('fixed')}`;
    expect(await put('dev', file, 'first')).toBe(201);
    expect(await put('dev', file, 'second')).toBe(409);
    for (const method of ['DELETE', 'MOVE', 'COPY', 'MKCOL', 'PROPPATCH', 'LOCK', 'POST'])
      expect([
        method,
        await clients.status({ method, path: file, as: 'dev', headers: [`Destination: ${appliance.url}/x`] }),
      ]).toEqual([method, 403]);
    for (const own of ['devserver-job', '.indexer/segments.gen', '//devserver-job', './.indexer/x', '%64evserver-job']) {
      const path = `/archiva/repository/gate/${own}`;
      expect([path, await put('dev', path, 'x'), await clients.status({ path, as: 'dev' })]).toEqual([path, 403, 403]);
    }
    expect((await clients.curl({ path: file, as: 'rob' })).body).toBe('first');
  });
});

describe("the front's own account of Archiva", () => {
  it('never leaves: no cookie comes out, and none goes in', async () => {
    for (const path of ['/archiva/repository/gate', '/archiva/repository/gate/', `/archiva/repository/gate/${run}/none`]) {
      const { headers } = await clients.curl({ path, as: 'rob', headers: ['Cookie: JSESSIONID=ABCDEF'] });
      expect(headers).not.toMatch(/set-cookie|jsessionid/i);
    }
    const mine = await clients.curl({ path: `${rest}/loginService/isLogged`, as: 'rob', headers: json });
    expect(JSON.parse(mine.body)).toMatchObject({ username: 'rob' });
  });

  it("opens nothing but the project's own directory, however its path is written", async () => {
    const secret = pathOf('secret');
    const into = (between: string): string[] => [
      `/archiva/repository/gate/${between}gatefar/${secret}`,
      `/archiva/repository/gate${between}gatefar/${secret}`,
    ];
    const paths = [
      ...[
        '../',
        '..%2f',
        '%2e%2e/',
        '.%2e/',
        '..;/',
        '..;x=1/',
        '..%5c',
        '..\\',
        '.././',
        '//../',
        '%2e%2e%2f',
        '%252e%252e/',
      ].flatMap(into),
      ...['..%c0%af', '..%ef%bc%8f', '%2e%2e;/', 'x/../../', 'x/..//../', '..//', '....//', '..%00/'].flatMap(into),
      ...[`/archiva/repository/gatefar;/../gate/../gatefar/${secret}`, `/archiva/repository/gatefar/${secret}?repository=gate`],
      ...[
        `//archiva/repository/gatefar/${secret}`,
        `/archiva//repository/gatefar/${secret}`,
        `/archiva/./repository/gatefar/${secret}`,
      ],
      ...[
        `/archiva/repository/%67atefar/${secret}`,
        `/hudson/../archiva/repository/gatefar/${secret}`,
        `/archiva/repository/./gatefar/${secret}`,
      ],
      ...[
        '/archiva/repository/gate/../../restServices/redbackServices/userService/getUsers',
        '/archiva/repository/',
        '/archiva/repository',
      ],
      ...[
        '/archiva/repository/gate/..;/..;/restServices/redbackServices/userService/getUsers',
        '/archiva/repository/.stash/',
        '/archiva/repository/..',
      ],
    ];
    const answers = await inPairs(paths, async (path) => {
      const { status, body } = await clients.curl({ path, as: 'dev', headers: json });
      return { path, got: status === 200 && /far away|archiva\.root|gatefar/.test(body) ? body.slice(0, 200) : 'nothing' };
    });
    expect(answers.filter(({ got }) => got !== 'nothing')).toEqual([]);
    const writes = await inPairs(paths, async (path) => [path, await put('dev', path, 'overwritten')] as const);
    // where the path as such belongs to gate, a file may have been made there
    expect((await clients.curl({ path: `/archiva/repository/gatefar/${secret}`, as: 'admin' })).body).toBe('far away');
    expect(writes.filter(([, status]) => status >= 500)).toEqual([]);
    const outside = await session.run([
      'find',
      '/srv/maven/repositories',
      '-newermt',
      '-2 minutes',
      '-name',
      '*secret*',
      '-not',
      '-path',
      '*/gate/*',
    ]);
    expect(outside.split('\n').filter((it) => it !== '' && !it.includes('/gatefar/'))).toEqual([]);
  });

  it('may read and write repositories, and administer nothing', async () => {
    const password = (await session.run(['cat', '/srv/system/secrets/archiva/front'])).trim();
    const users = await archivaRest(
      session,
      'GET',
      'redbackServices/userService/getUsers',
      undefined,
      `archiva-front:${password}`,
    );
    expect(users.status).toBe(403);
    expect(await clients.status({ path: '/archiva/', login: `archiva-front:${password}` }), 'no person, no login').toBe(401);
    const mode = (await session.run(['stat', '--format', '%U %a', '/run/devserver/apache/archiva.conf'])).trim();
    expect(mode).toBe('root 600');
  });
});

describe("Archiva's own pages", () => {
  it('show members their repositories, and let nobody change them', async () => {
    const list = { path: '/archiva/restServices/archivaServices/browseService/userRepositories', headers: json } as const;
    const names = async (as: Person): Promise<string[]> =>
      (JSON.parse((await clients.curl({ ...list, as })).body) as { id: string }[])
        .map(({ id }) => id)
        .filter((id) => /^gate/.test(id));
    expect(await names('rob')).toEqual(['gate']);
    expect(await names('out')).toEqual([]);
    const artifact = {
      groupId: 'org.test',
      artifactId: 'fixed',
      version: '1.0',
      repositoryId: 'gate',
      context: 'gate',
      packaging: 'jar',
    };
    const { status } = await clients.curl({
      method: 'POST',
      path: '/archiva/restServices/archivaServices/repositoriesService/deleteArtifact',
      as: 'dev',
      headers: [...json, 'Content-Type: application/json'],
      body: JSON.stringify(artifact),
    });
    expect(status).toBeGreaterThanOrEqual(400);
  });
});

const rest = '/archiva/restServices/redbackServices';
const json = ['Accept: application/json', `Origin: ${appliance.url}`];

function pathOf(artifact: string): string {
  return `org/test/${artifact}-${run}/1.0/${artifact}-${run}-1.0.jar`;
}

function put(as: Person, path: string, body: string): Promise<number> {
  return clients.status({ method: 'PUT', path, as, body });
}

async function seenBy(who: readonly Person[], path: string): Promise<number[]> {
  return inPairs(who, (as) => clients.status({ path, as }));
}

async function group(name: string, members: readonly string[]): Promise<void> {
  await askDriver(appliance.dir, 'ldap', 'apply', { kind: 'group', name, members });
}
