import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { randomFrom } from '../support/random.ts';
import { archivaRest } from './support/apps.ts';
import { Clients, inPairs } from './support/clients.ts';
import { until } from './support/devserver.ts';
import { subjects, untilAnswers } from './support/java.ts';
import { javaTrust } from './support/maven.ts';
import { bootstrapWith, type Outside, openOutside } from './support/maven-outside.ts';
import { ask, type Subject } from './support/resources.ts';
import { openSession, type Session } from './support/session.ts';

/** What Archiva passes on from outside (option `proxy`), and that it is nothing but that. */
const appliance = inject('appliance');
const random = randomFrom(process.env.DEVSERVER_SEED ?? String(Date.now()));
const clients = new Clients(appliance);
const central = '/archiva/repository/central';
const store = '/srv/maven/archiva/central';
const jar = fileOf('thing', '1.0');
const authority = 'firm-outside';
let session: Session;
let outside: Outside;
let project: Record<'content' | 'repository', Subject>;

beforeAll(async () => {
  session = openSession(appliance.dir);
  await untilAnswers(session);
  outside = await openOutside(session);
  project = subjects({ members: { admin: 'admin' } });
  await ask(session, 'make', project.content);
  await ask(session, 'apply', project.repository);
});
afterAll(async () => {
  await bootstrapWith(session, 'none');
  await session.tryRun(['devserver', 'authority', 'remove', authority]);
  await outside.close();
  await ask(session, 'remove', project.repository);
  await ask(session, 'remove', project.content);
  clients.remove();
  await session.close();
});

describe('what comes from outside', () => {
  it('is nothing by default', async () => {
    await offer('thing', '1.0', 'a thing');
    expect(
      await inPairs(['out', 'admin', 'anonymous'] as const, (as) => clients.status({ path: `${central}/${jar}`, as })),
    ).toEqual([404, 404, 401]);
    expect(await known()).toEqual([]);
    expect(await outside.asked()).toEqual([]);
  });

  it('is asked for under an authority of the site alone when that is trusted', async () => {
    await bootstrapWith(session, outside.url);
    await bootstrapWith(session, outside.url);
    expect(await known()).toEqual(['central', 'central.outside', 'central -> central.outside']);
    expect(await status(jar)).toBeGreaterThanOrEqual(400);
    expect(await kept()).toEqual([]);

    await session.run(['devserver', 'authority', 'add', '-', '--name', authority], outside.authority);
    await session.run(['systemctl', 'restart', 'devserver-tomcat@archiva.service']);
    // while it starts it takes connections and lets them wait
    await untilAnswers(session);
    await untilServed();
    expect(await session.driver('archiva', 'is-closed', {})).toBeNull();
  });

  it('is passed on byte by byte, once, to every person and to nobody else', async () => {
    await outside.asked();
    await offer('once', '1.0', 'asked for once');
    const once = fileOf('once', '1.0');
    const { status: code, body } = await clients.curl({ path: `${central}/${once}`, as: 'out' });
    expect([code, body]).toEqual([200, 'asked for once']);
    const sum = createHash('sha1').update('asked for once').digest('hex');
    expect((await clients.curl({ path: `${central}/${once}.sha1`, as: 'rob' })).body.trim().split(/\s/)[0]).toBe(sum);
    // Archiva looks into the pom, whether the artifact has moved
    expect((await outside.asked()).sort()).toEqual([once, once.replace(/jar$/, 'pom')]);
    expect((await clients.curl({ path: `${central}/${once}`, as: 'admin' })).body).toBe('asked for once');
    expect(await outside.asked(), 'kept').toEqual([]);
    expect(await clients.status({ path: `${central}/${once}`, as: 'anonymous' })).toBe(401);
  });

  it('is written by nobody, administrators neither', async () => {
    for (const method of ['PUT', 'DELETE', 'POST', 'MKCOL', 'MOVE', 'COPY', 'PROPPATCH'])
      for (const as of ['dev', 'admin'] as const)
        for (const file of [jar, fileOf('new', '1.0')])
          expect([method, as, await clients.status({ method, path: `${central}/${file}`, as, body: 'mine' })]).toEqual([
            method,
            as,
            403,
          ]);
    expect((await clients.curl({ path: `${central}/${jar}`, as: 'out' })).body).toBe('a thing');
  });

  it('is resolved by real Maven, with the mirror that newproject prints', { timeout: 600_000 }, async () => {
    await offer('lib', '2.0', 'a library');
    const folder = clients.freshFolder('consumer');
    const dependency =
      '<dependency><groupId>org.outside</groupId><artifactId>lib</artifactId><version>2.0</version></dependency>';
    // plugins come from where this computer gets them; only the one repository is mirrored
    const repository = '<repository><id>outside</id><url>https://nowhere.invalid/</url></repository>';
    const more = `<repositories>${repository}</repositories><dependencies>${dependency}</dependencies>`;
    writeFileSync(path.join(folder, 'pom.xml'), pomOf('org.test', 'consumer', '1', more));
    const server = `<server><id>devserver-central</id><username>out</username><password>${clients.password('out')}</password></server>`;
    const mirror = `<mirror><id>devserver-central</id><mirrorOf>outside</mirrorOf><url>${clients.url(central)}/</url></mirror>`;
    const settings = clients.fresh('settings.xml');
    writeFileSync(settings, `<settings><servers>${server}</servers><mirrors>${mirror}</mirrors></settings>`, { mode: 0o600 });
    const target = path.join(folder, 'out');
    mkdirSync(target);
    const goal = [
      'dependency:copy-dependencies',
      `-DoutputDirectory=${target}`,
      `-Dmaven.repo.local=${clients.freshFolder('m2')}`,
    ];
    const argv = [
      '--batch-mode',
      '--settings',
      settings,
      '--file',
      path.join(folder, 'pom.xml'),
      ...(await javaTrust(appliance, clients)),
    ];
    await clients.must('mvn', [...argv, ...goal]);
    expect(readFileSync(path.join(target, 'lib-2.0.jar'), 'utf8')).toBe('a library');
    expect(await kept()).toContain(fileOf('lib', '2.0'));
  });

  it('is not kept when it is not what its checksum says, nor a snapshot', async () => {
    const spoilt = fileOf('spoilt', '1.0');
    const snapshot = fileOf('thing', '2.0-SNAPSHOT');
    await outside.offer(spoilt, 'something else', createHash('sha1').update('what was meant').digest('hex'));
    await outside.offer(snapshot, 'half a thing');
    expect(await status(spoilt)).toBeGreaterThanOrEqual(400);
    expect(await status(snapshot)).toBeGreaterThanOrEqual(400);
    expect((await kept()).filter((it) => /spoilt|SNAPSHOT/.test(it))).toEqual([]);
  });

  it('keeps up with the list of versions, and with what was not there yet', async () => {
    const list = 'org/outside/thing/maven-metadata.xml';
    await outside.offer(list, metadataOf('1.0'));
    expect((await clients.curl({ path: `${central}/${list}`, as: 'out' })).body).toContain('<release>1.0</release>');
    const later = fileOf('thing', '1.1');
    expect(await status(later)).toBe(404);
    await sleep(1100);
    await outside.offer(list, metadataOf('1.1'));
    await offer('thing', '1.1', 'a better thing');
    expect((await clients.curl({ path: `${central}/${list}`, as: 'out' })).body).toContain('<release>1.1</release>');
    expect((await clients.curl({ path: `${central}/${later}`, as: 'out' })).body).toBe('a better thing');
  });

  it("never stands in a project's own repository, nor takes the place of what is there", async () => {
    const { name } = project.content.project;
    const mine = `/archiva/repository/${name}`;
    const place = `/srv/maven/repositories/${name}`;
    await outside.asked();
    expect(await clients.status({ path: `${mine}/${jar}`, as: 'admin' })).toBe(404);
    await session.run(
      ['sh', '-c', 'cd "$1" && mkdir -p "$(dirname "$2")" && cat >"$2" && chown -R archiva: .', 'sh', place, jar],
      'our own thing',
    );
    expect((await clients.curl({ path: `${mine}/${jar}`, as: 'admin' })).body).toBe('our own thing');
    expect((await clients.curl({ path: `${central}/${jar}`, as: 'admin' })).body).toBe('a thing');
    expect(await clients.status({ path: `${mine}/${fileOf('none', '1')}`, as: 'admin' })).toBe(404);
    expect(await outside.asked(), 'nobody outside learns what a project asks for').toEqual([]);
    for (const step of ['../central/', '..%2fcentral/', '%252e%252e/central/'])
      expect((await clients.curl({ path: `${mine}/${step}${jar}`, as: 'admin' })).body, step).not.toBe('our own thing');
  });

  it('leaves nothing behind at another address, and nothing at all when it is off again', async () => {
    await bootstrapWith(session, `${outside.url}/elsewhere`);
    expect(await kept()).toEqual([]);
    expect(await status(jar)).toBe(404);
    expect(await outside.asked()).toEqual([`elsewhere/${jar.replace(/jar$/, 'pom')}`, `elsewhere/${jar}`]);
    await bootstrapWith(session, outside.url);
    expect(await status(jar)).toBe(200);

    await bootstrapWith(session, 'none');
    expect(await known()).toEqual([]);
    expect((await session.tryRun(['test', '-e', store])).exitCode).toBe(1);
    expect(await status(jar)).toBe(404);
    const { name } = project.content.project;
    expect((await clients.curl({ path: `/archiva/repository/${name}/${jar}`, as: 'admin' })).body).toBe('our own thing');
  });

  it("is not served from somebody else's repository of that name: every person could read it", async () => {
    const location = '/srv/maven/archiva/not-from-outside';
    const wanted = { id: 'central', name: 'central', layout: 'default', location, releases: true, snapshots: true };
    const service = 'archivaServices/managedRepositoriesService';
    await archivaRest(session, 'POST', `${service}/addManagedRepository`, {
      ...wanted,
      scanned: false,
      cronExpression: '0 0 * * * ?',
    });
    for (const proxy of ['none', outside.url])
      await expect(bootstrapWith(session, proxy)).rejects.toThrow(`serves ${location} as central`);
    expect(await known()).toEqual(['central']);
    await archivaRest(session, 'GET', `${service}/deleteManagedRepository?repositoryId=central&deleteContent=true`);
    await bootstrapWith(session, 'none');
    expect(await known()).toEqual([]);
  });

  it('is on or off as it was meant, wherever the driver was killed', async () => {
    const unit = 'devserver-driver-archiva';
    for (let round = 0; round < 6; round += 1) {
      const wanted = round % 2 === 0 ? outside.url : 'none';
      const changing = bootstrapWith(session, wanted).catch(() => undefined);
      await sleep(random() * 1500);
      await session.tryRun(['systemctl', 'kill', '--signal', 'KILL', `${unit}.service`]);
      await changing;
      await session.tryRun(['systemctl', 'reset-failed', `${unit}.service`, `${unit}.socket`]);
      await session.run(['systemctl', 'start', `${unit}.socket`]);
      // what the killed one asked for may still be under way in Archiva: the daemon would ask again, too
      await until('it is as it was meant', () =>
        bootstrapWith(session, wanted).then(
          () => true,
          () => false,
        ),
      );
      const all = wanted === 'none' ? [] : ['central', 'central.outside', 'central -> central.outside'];
      expect(await known(), `round ${round}`).toEqual(all);
      expect(await status(jar), `round ${round}`).toBe(wanted === 'none' ? 404 : 200);
    }
  });
});

/** An artifact with its pom, as every one outside has it. */
async function offer(artifact: string, version: string, content: string): Promise<void> {
  const file = fileOf(artifact, version);
  await outside.offer(file, content);
  await outside.offer(file.replace(/jar$/, 'pom'), pomOf('org.outside', artifact, version));
}

function fileOf(artifact: string, version: string): string {
  return `org/outside/${artifact}/${version}/${artifact}-${version}.jar`;
}

function status(file: string): Promise<number> {
  return clients.status({ path: `${central}/${file}`, as: 'out' });
}

async function untilServed(): Promise<void> {
  for (let attempt = 0; (await status(jar)) !== 200; attempt += 1) {
    if (attempt > 240) throw new Error('it is not passed on');
    await sleep(1000);
  }
}

/** Files of the outside that were kept, without checksums. */
async function kept(): Promise<string[]> {
  const { stdout } = await session.tryRun(['find', store, '-type', 'f', '-not', '-path', '*/.indexer/*', '-printf', '%P\\n']);
  return stdout.split('\n').filter((it) => it !== '' && !/\.(?:sha1|md5)$/.test(it));
}

/** What of it stands in Archiva's own lists. */
async function known(): Promise<string[]> {
  const list = async <T>(call: string): Promise<T[]> =>
    JSON.parse((await archivaRest(session, 'GET', `archivaServices/${call}`)).body) as T[];
  const managed = await list<{ id: string }>('managedRepositoriesService/getManagedRepositories');
  const remote = await list<{ id: string }>('remoteRepositoriesService/getRemoteRepositories');
  const connectors = await list<{ sourceRepoId: string; targetRepoId: string }>('proxyConnectorService/getProxyConnectors');
  return [
    ...managed.map(({ id }) => id).filter((id) => id.startsWith('central')),
    ...remote.map(({ id }) => id),
    ...connectors.map(({ sourceRepoId, targetRepoId }) => `${sourceRepoId} -> ${targetRepoId}`),
  ];
}

function pomOf(group: string, artifact: string, version: string, more = ''): string {
  const names = `<groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>`;
  return `<project><modelVersion>4.0.0</modelVersion>${names}${more}</project>`;
}

function metadataOf(version: string): string {
  const names = '<groupId>org.outside</groupId><artifactId>thing</artifactId>';
  const versions = `<release>${version}</release><versions><version>${version}</version></versions>`;
  return `<metadata>${names}<versioning>${versions}<lastUpdated>20260101000000</lastUpdated></versioning></metadata>`;
}
