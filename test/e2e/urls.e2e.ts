import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type ApplianceCatalogue, appliancePaths, ownPages } from '../../src/kernel/appliance.ts';
import { type Answer, aReadOf, pathOf, promised, type Visitor, visitors, webEntries } from './support/access.ts';
import { layOutApps } from './support/apps.ts';
import { Clients, inPairs } from './support/clients.ts';
import { inside } from './support/inside.ts';
import { projects } from './support/projects.ts';
import { openSession } from './support/session.ts';

const appliance = inject('appliance');
const catalogue = JSON.parse(await inside(appliance.dir, ['cat', appliancePaths.catalogue])) as ApplianceCatalogue;
const entries = webEntries(catalogue).map(({ web }) => web);
const clients = new Clients(appliance);
const names = projects.map(({ name }) => name);

/** Each entry's page for each project, and what the tables say about reading it. */
const pages = entries.flatMap((web) => {
  if (!web.at.includes('{project}'))
    return [{ path: web.at, promise: (who: Visitor): Answer => promised(web, 'read', who, undefined) }];
  return projects.map((project) => ({
    path: aReadOf(web, project.name),
    promise: (who: Visitor): Answer => promised(web, 'read', who, project),
  }));
});
const own = ownPages
  .filter((it) => it !== '/ca.crt')
  .map((path) => ({ path, promise: (who: Visitor): Answer => (who === 'anonymous' ? '401' : 'yes') }));
/** Where the projects of an entry would be listed; some are pages of another entry, which has its own say. */
const bareRoots = [
  ...new Set(entries.filter(({ at }) => at.includes('/{project}')).map(({ at }) => at.replace(/\{project\}.*$/, ''))),
];
const allPaths = [...new Set([...pages, ...own].map(({ path }) => path)), ...bareRoots];

/** A method nobody may use is refused before anybody is asked for a login. */
const refusals = { anonymous: [401, 403, 405], admin: [403, 405] };

/** yes: the front let it through, whatever the backend makes of it. */
function answerOf(status: number): string {
  return status < 400 || status === 404 || status === 405 ? 'yes' : String(status);
}

async function answers(path: string, method = 'GET'): Promise<Record<string, string>> {
  const pairs = await inPairs(visitors, async (as) => [as, answerOf(await clients.status({ path, as, method }))] as const);
  return Object.fromEntries(pairs);
}

describe('the addresses of the appliance', () => {
  beforeAll(async () => {
    const session = openSession(appliance.dir);
    await layOutApps(session, projects);
    await session.close();
  });
  afterAll(() => clients.remove());

  it('come from the catalogue: more than a dozen pages below six roots', () => {
    expect(pages.length).toBeGreaterThan(12);
    expect(bareRoots.length).toBeGreaterThanOrEqual(6);
  });

  it.each([...pages, ...own])('$path answers each visitor as the access table says', async ({ path, promise }) => {
    expect(await answers(path)).toEqual(Object.fromEntries(visitors.map((who) => [who, promise(who)])));
  });

  it.each(bareRoots)('%s lists nothing: a stranger must log in, everybody else is refused or finds nothing', async (path) => {
    for (const as of visitors) {
      for (const at of [path, path.replace(/\/$/, '')]) {
        const { status, body } = await clients.curl({ path: at, as });
        expect({ as, at, status }).toEqual({ as, at, status: as === 'anonymous' ? 401 : 403 });
        expect(names.filter((name) => body.includes(name))).toEqual([]);
      }
    }
  });

  it('a project nobody has made is refused like a foreign one', async () => {
    for (const web of entries.filter(({ at }) => at.includes('{project}'))) {
      for (const as of ['ann', 'dev', 'out'] as const) {
        const path = aReadOf(web, 'no-such-project');
        expect({ path, as, status: await clients.status({ path, as }) }).toEqual({ path, as, status: 403 });
      }
      expect(await clients.status({ path: pathOf(web, 'no-such-project'), as: 'admin' })).toBeGreaterThanOrEqual(400);
    }
  });

  it('offers the certificate of its authority to everybody, over HTTPS and HTTP', async () => {
    const certificate = await inside(appliance.dir, ['cat', '/srv/system/secrets/apache/ca.crt']);
    for (const base of [appliance.url, appliance.httpUrl]) {
      const { status, headers, body } = await clients.curl({ path: '/ca.crt', base });
      expect({ base, status, body }).toEqual({ base, status: 200, body: certificate });
      expect(headers).toMatch(/content-type: application\/x-x509-ca-cert/i);
    }
  });

  it('sends every other address over HTTP to the same one over HTTPS, whatever Host says', async () => {
    await inPairs([...allPaths, '/nosuch', '/ca.crt/', '/ca.crt.bak', '/x?a=b&c=%20'], async (path) => {
      for (const headers of [[], ['Host: evil.example']]) {
        const answer = await clients.curl({ path, base: appliance.httpUrl, headers });
        const location = /^location: (.*)$/im.exec(answer.headers)?.[1]?.trim();
        expect({ path, status: answer.status, location }).toEqual({ path, status: 308, location: `${appliance.url}${path}` });
      }
    });
  });

  it('asks a stranger for a login anywhere else, and hides from others what is not there', async () => {
    for (const path of [
      '/nosuch',
      '/server-status',
      '/server-info',
      '/icons/',
      '/README',
      '/.git/config',
      '/cgi-bin/',
      '/manager/html',
      '/host-manager',
      '/git',
      '/ca.key',
      '/index.html',
    ]) {
      expect({ path, status: await clients.status({ path }) }).toEqual({ path, status: 401 });
      for (const as of ['rob', 'admin'] as const)
        expect({ path, as, refused: (await clients.status({ path, as })) >= 403 }).toEqual({ path, as, refused: true });
    }
  });

  it('tells strangers nothing but the name of the realm', async () => {
    await inPairs(allPaths, async (path) => {
      const { headers, body } = await clients.curl({ path });
      expect({ path, realm: /^www-authenticate: (.*)$/im.exec(headers)?.[1]?.trim() }).toEqual({
        path,
        realm: 'Basic realm="devserver"',
      });
      expect(names.filter((name) => body.includes(`/${name}`) && !path.includes(`/${name}`))).toEqual([]);
    });
  });

  it('never repeats a foreign Host, nor says which versions serve it', async () => {
    await inPairs(allPaths, async (path) => {
      const { headers, body } = await clients.curl({ path, as: 'admin', headers: ['Host: evil.example'] });
      expect({ path, location: /^location: .*evil\.example/im.test(headers) }).toEqual({ path, location: false });
      expect({ path, body: body.includes('evil.example') }).toEqual({ path, body: false });
      const servers = [...headers.matchAll(/^(?:server|x-powered-by): (.*)$/gim)].map(([, value]) => value?.trim());
      // Tomcat's is empty
      expect({ path, telling: servers.filter((it) => it !== 'Apache' && it !== '') }).toEqual({ path, telling: [] });
    });
  });

  it('refuses TRACE everywhere and repeats nothing of it', async () => {
    await inPairs(allPaths, async (path) => {
      for (const as of ['anonymous', 'admin'] as const) {
        const { status, body } = await clients.curl({ path, as, method: 'TRACE', headers: ['X-Echo: parrot'] });
        expect({ path, as, status, echo: body.includes('parrot') }).toEqual({
          path,
          as,
          status: expect.toSatisfy((code) => refusals[as].includes(code)),
          echo: false,
        });
      }
    });
  });
});
