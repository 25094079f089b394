import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Visitor } from './support/access.ts';
import { archivaDeploy, layOutApps } from './support/apps.ts';
import { Clients, type CurlRequest, inPairs } from './support/clients.ts';
import { passwordOf, projects } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';

/** A raw request and the status codes that are right for it. */
interface Attempt extends CurlRequest {
  readonly want: readonly number[];
}

const appliance = inject('appliance');
const clients = new Clients(appliance);
const empty = 'Content-Length: 0';
const uploadPack = 'info/refs?service=git-upload-pack';
let session: Session;

function attempts(
  want: number | readonly number[],
  as: Visitor | undefined,
  method: string,
  paths: readonly string[],
  extra: Partial<CurlRequest> = {},
): Attempt[] {
  return paths.map((path) => ({ ...extra, ...(as === undefined ? {} : { as }), method, path, want: [want].flat() }));
}

function describeAttempt({ method, path, as, login, headers }: Attempt): string {
  return [login === undefined ? (as ?? 'anonymous') : JSON.stringify(login), method, path, ...(headers ?? [])].join(' ');
}

/** Everything sent, two at a time; what came back beside what was right. */
async function expectRefusals(list: readonly Attempt[]): Promise<void> {
  const wrong = await inPairs(list, async (attempt) => {
    const status = await clients.status(attempt);
    return attempt.want.includes(status) ? [] : [`${describeAttempt(attempt)}: ${status}, right is ${attempt.want.join(' or ')}`];
  });
  expect(wrong.flat()).toEqual([]);
}

const pushkey = 'namespace=bookmarks&key=evil&old=&new=0000000000000000000000000000000000000000';
const batch = 'cmds=pushkey+namespace%3Dbookmarks%2Ckey%3Devil%2Cold%3D%2Cnew%3D0000000000000000000000000000000000000000';
const hgCommands: readonly { path: string; headers?: readonly string[]; body?: string }[] = [
  { path: `/hg/open?cmd=pushkey&${pushkey}` },
  { path: `/hg/open?cmd=batch&${batch}` },
  { path: '/hg/open?cmd=batch', headers: [`X-HgArg-1: ${batch}`] },
  { path: '/hg/open?cmd=unbundle&heads=666f726365' },
];

/** Where each kind of trick is tried, with what it is right to answer. */
const table: Readonly<Record<string, readonly Attempt[]>> = {
  'Mercurial takes no push command from a reader by any method': hgCommands.flatMap(({ path, headers = [] }) => [
    ...['POST', 'PUT', 'FOO'].flatMap((method) => attempts(403, 'rob', method, [path], { headers: [...headers, empty] })),
    ...attempts(405, 'rob', 'GET', [path], { headers }),
  ]),
  'Mercurial takes no push command in a body or under another method name': [
    ...attempts(403, 'rob', 'POST', ['/hg/open?cmd=pushkey', '/hg/open?cmd=batch'], {
      body: `${pushkey}&${batch}`,
      headers: ['Content-Type: application/mercurial-0.1', 'X-HgArgs-Post: 200'],
    }),
    ...attempts([403, 405], 'rob', 'GET', [`/hg/open?cmd=pushkey&${pushkey}`], { headers: ['X-HTTP-Method-Override: POST'] }),
    ...attempts([403, 405], 'out', 'GET', [`/hg/open?cmd=pushkey&${pushkey}`, `/hg/open/?cmd=batch&${batch}`]),
    ...attempts(403, 'out', 'POST', [`/hg/open?cmd=pushkey&${pushkey}`], { headers: [empty] }),
    ...attempts(403, 'dev', 'POST', [`/hg/oldshop?cmd=pushkey&${pushkey}`, `/hg/other?cmd=pushkey&${pushkey}`], {
      headers: [empty],
    }),
  ],
  'git announces a push to nobody who may only read': [
    ...attempts(
      403,
      'rob',
      'GET',
      [
        '',
        '?service=git-receive-pack',
        '?service=git%2dreceive-pack',
        '?service=git-upload-pack&service=git-receive-pack',
        '?service=git-upload-pack&x',
        '?Service=git-upload-pack',
      ].map((query) => `/git/shop.git/info/refs${query}`),
    ),
    ...attempts(403, 'dev', 'GET', [
      '/git/oldshop.git/info/refs?service=git-receive-pack',
      '/git/other.git/info/refs?service=git-receive-pack',
    ]),
    ...attempts(403, 'out', 'GET', ['/git/open.git/info/refs?service=git-receive-pack']),
  ],
  'git takes a push from nobody who may only read': [
    ...attempts(
      403,
      'rob',
      'POST',
      [
        'git-receive-pack',
        'git-upload-pack/../git-receive-pack',
        'git%2dreceive-pack',
        'git-receive-pack?service=git-upload-pack',
      ].map((it) => `/git/shop.git/${it}`),
      { body: '0000', headers: ['Content-Type: application/x-git-receive-pack-request'] },
    ),
    ...attempts(403, 'admin', 'POST', ['/git/oldshop.git/git-receive-pack'], { body: '0000' }),
    // ends like a read and is served by nothing
    ...attempts(404, 'rob', 'POST', ['/git/shop.git/git-receive-pack/git-upload-pack'], { body: '0000' }),
  ],
  'git serves its three addresses and no file': attempts(
    [403, 404],
    'dev',
    'GET',
    ['HEAD', 'config', 'objects/info/packs', 'hooks/post-receive', '', 'info/refs/..'].map((it) => `/git/shop.git/${it}`),
  ),
  'no path leads to another project of git': attempts(
    403,
    'rob',
    'GET',
    [
      '/git/shop.git/../other.git',
      '/git/shop.git/%2e%2e/other.git',
      '/git//other.git',
      '//git/other.git',
      '/git/.stash/x.git',
      '/git/Other.git',
      '/git/shop/../other.git',
      '/git/shop.git/.%2e/other.git',
    ].map((it) => `${it}/${uploadPack}`),
  ),
  'no path leads to another project of Subversion': [
    ...attempts(403, 'rob', 'GET', [
      '/svn/shop/../other/',
      '/svn/shop/%2e%2e/other/',
      '//svn//other/',
      '/svn/./other/',
      '/svn/shop;x/../other/',
      '/svn/shop/!svn/../../other/',
      '/svn/OTHER/',
      '/svn/.stash/',
      '/svn%3b/other/',
      '/x/../svn/other/',
      '/%73vn/other/',
      '/svn/other/!svn/rvr/0/',
      '/svn/other/!svn/vcc/default',
    ]),
    ...attempts(404, 'rob', 'GET', ['/svn/shop/..%2fother/', '/%2fsvn/other', '/svn%2fother/']),
  ],
  'Subversion takes no writing method from a reader': attempts(403, 'rob', '', ['/svn/shop/trunk']).flatMap((attempt) =>
    [
      'PUT',
      'DELETE',
      'MKCOL',
      'MERGE',
      'PROPPATCH',
      'LOCK',
      'UNLOCK',
      'COPY',
      'MOVE',
      'POST',
      'CHECKOUT',
      'MKACTIVITY',
      'FOO',
    ].map((method) => ({ ...attempt, method })),
  ),
  'Subversion copies nothing from one project into another': [
    ...['COPY', 'MOVE'].flatMap((method) => [
      ...attempts(403, 'dev', method, ['/svn/shop/trunk'], { headers: [`Destination: ${appliance.url}/svn/other/trunk/c`] }),
      ...attempts(403, 'dev', method, ['/svn/shop/trunk'], {
        headers: [`Destination: ${appliance.url}/svn/shop/../other/trunk/c`],
      }),
      ...attempts(403, 'dev', method, ['/svn/shop/trunk'], { headers: [`Destination: ${appliance.url}/svn/oldshop/trunk/c`] }),
      ...attempts(409, 'admin', method, ['/svn/shop/trunk'], { headers: [`Destination: ${appliance.url}/svn/other/trunk/c`] }),
    ]),
    ...attempts(403, 'dev', 'COPY', ['/svn/other/trunk'], { headers: [`Destination: ${appliance.url}/svn/shop/trunk/c`] }),
  ],
  'no path leads a reader out of the project': attempts(403, 'rob', 'GET', [
    ...[
      '/trac/shop;x/wiki',
      '/trac;x/shop/wiki',
      '/trac/shop%3b/wiki',
      '/trac/shop%5cwiki',
      '/trac/shop/%2e%2e/other/wiki',
      '/trac/.%2e/svn/other/',
      '/TRAC/shop',
      '/trac/Shop/wiki',
      '/trac/sh/wiki',
    ],
    ...[
      '/trac/shop-/wiki',
      '/trac/shop.readers/wiki',
      '/trac/*/wiki',
      '/trac/shop,ou=x/wiki',
      '/trac/',
      '/hg/',
      '/svn/',
      '/git/',
      '/icons/',
      '/server-status',
      '/hg/other',
      '/hg/shop/../other',
      '/hg//other',
      '/hg/%6fther',
      '/hg/shop%20/',
    ],
  ]),
  'a stranger gets nowhere': attempts(401, 'anonymous', 'GET', [
    '/trac/',
    '/hg/',
    '/git/',
    '/svn/',
    '/trac/shop/wiki',
    '/hg/shop',
    '/svn/shop/',
    `/git/open.git/${uploadPack}`,
    '/',
    '/server-status',
    '/nosuch',
    '//',
    '/ca.crt/../',
    '/archiva/',
    '/hudson/',
    '/hudson/job/open/',
  ]),
  'no header makes a stranger somebody': [
    'X-Remote-User: admin',
    'Remote-User: admin',
    'Remote_User: admin',
    'X-Forwarded-User: admin',
    'MATCH_PROJECT: shop',
    'Authorization: Bearer x',
    'Proxy-Authorization: Basic YWRtaW46YWRtaW4=',
    'Cookie: ds_session=user=admin',
    'X-Original-URL: /ca.crt',
    'Host: localhost',
    'X-Forwarded-For: 127.0.0.1',
  ].flatMap((header) =>
    attempts(
      401,
      'anonymous',
      'GET',
      ['/', '/svn/shop/', '/trac/shop/wiki', '/hg/shop', '/archiva/repository/shop/', '/hudson/job/shop/', '/status.json'],
      { headers: [header] },
    ),
  ),
  'no header opens another project': [
    'X-Remote-User: admin',
    'MATCH_PROJECT: open',
    'X-Original-URL: /svn/open/',
    'X-Rewrite-URL: /svn/open/',
    'Host: evil',
    'X-Forwarded-Host: evil',
  ].flatMap((header) =>
    attempts(
      403,
      'out',
      'GET',
      [
        '/svn/shop/',
        '/trac/shop/wiki',
        '/hg/shop',
        `/git/shop.git/${uploadPack}`,
        '/archiva/repository/shop/',
        '/hudson/job/shop/',
      ],
      { headers: [header] },
    ),
  ),
  'no login is a filter, a name with rests or an account of a service': [
    ...[
      '*',
      'd*',
      'dev)(uid=*',
      '*)(uid=dev',
      'dev\\2a',
      'd\\65v',
      'dev,ou=people',
      'uid=dev,ou=people,dc=devserver',
      '',
    ].flatMap((name) => attempts(401, undefined, 'GET', ['/svn/shop/'], { login: `${name}:${passwordOf('dev')}` })),
    ...['dev:', ':', 'apache:', 'nobody:', 'archiva.root:x'].flatMap((login) =>
      attempts(401, undefined, 'GET', ['/svn/shop/'], { login }),
    ),
  ],
  'a name in other letters is the same person, with the same rights': [
    ...attempts(200, undefined, 'GET', ['/svn/shop/'], { login: `DEV:${passwordOf('dev')}` }),
    ...attempts(403, undefined, 'GET', ['/svn/shop/'], { login: `OUT:${passwordOf('out')}` }),
    ...attempts(403, undefined, 'GET', ['/svn/shop/'], { login: `out :${passwordOf('out')}` }),
  ],
  'no path leads out of a repository of Archiva': attempts(
    [403, 404],
    'rob',
    'GET',
    [
      ...[
        '/archiva/repository/other/',
        '/archiva//repository//other/',
        '/archiva/./repository/other/',
        '/archiva/x/../repository/other/',
        '/archiva/%72epository/other/',
        '/archiva/repository/shop/../other/',
        '/archiva/repository/shop/%2e%2e/other/',
        '/archiva/repository/shop/..%2fother/',
      ],
      ...[
        '/archiva/repository/shop/..;/other/',
        '/archiva/repository;x=1/other/',
        '/archiva;x/repository/other/',
        '/archiva/;/repository/other/',
        '/archiva/repository/shop/%252e%252e/other/',
        '/archiva/repository/shop%5c..%5cother/',
        '/archiva/repository/other%3bx/',
        '/archiva/%2572epository/other/',
        '/Archiva/repository/other/',
      ],
    ].map((it) => `${it}org/seed/hello/1.0/hello-1.0.jar`),
  ),
  'nobody changes a repository of Archiva without the right to': [
    ...['PUT', 'DELETE', 'MKCOL', 'MOVE', 'COPY', 'PROPPATCH', 'LOCK', 'POST', 'FOO'].flatMap((method) =>
      attempts(403, 'rob', method, ['/archiva/repository/shop/org/seed/hello/1.0/hello-1.0.jar'], {
        headers: [`Destination: ${appliance.url}/archiva/repository/shop/x`],
        body: 'x',
      }),
    ),
    ...['DELETE', 'MKCOL', 'MOVE', 'COPY', 'PROPPATCH', 'POST'].flatMap((method) =>
      attempts(403, 'dev', method, ['/archiva/repository/shop/org/seed/hello/1.0/hello-1.0.jar'], {
        headers: [`Destination: ${appliance.url}/archiva/repository/shop/x`],
        body: 'x',
      }),
    ),
    ...attempts([200, 403, 405], 'rob', 'GET', ['/archiva/repository/shop/org/seed/hello/1.0/hello-1.0.jar'], {
      headers: ['X-HTTP-Method-Override: PUT', 'X-Method-Override: DELETE'],
    }),
  ],
  'Archiva tells nobody of the projects of others': attempts(403, 'out', 'GET', [
    ...[
      'browseService/artifacts/shop',
      'browseService/projectVersionMetadata/org.seed/hello?repositoryId=shop',
      'searchService/quickSearch?queryString=hello',
      '/browseService/artifacts/shop',
      'browseService//artifacts/shop',
      'browseService/%61rtifacts/shop',
      'browseService;x/artifacts/shop',
      'browseService/artifacts;x/shop',
      './browseService/artifacts/shop',
    ].map((it) => `/archiva/restServices/archivaServices/${it}`),
  ]),
  "Hudson's consoles and its form for a new job are for nobody": attempts([403, 404], 'admin', 'GET', [
    '/hudson/cli',
    '/hudson/script',
    '/hudson/scriptText',
    '/hudson/createItem?name=x',
    '/hudson/view/All/createItem',
    '/hudson//cli',
    '/hudson/%63li',
    '/hudson/./script',
    '/hudson/;/script',
    '/hudson/script;x',
    '/hudson/x/..;/script',
    '/hudson/script%2f',
    '/hudson;x/script',
  ]),
  'Hudson shows a foreign job by none of its addresses': attempts([403, 404], 'out', 'GET', [
    '/hudson/job/shop/',
    '/hudson/view/All/job/shop/',
    '/hudson//job/shop/',
    '/hudson/./job/shop/',
    '/hudson/%6aob/shop/',
    '/hudson/job;x/shop/',
    '/hudson/job/other/../shop/',
    '/hudson/job/other/..;/shop/',
    '/hudson/job/Shop/',
    '/hudson/view/All/job/shop/config.xml',
    '/hudson/job/shop/lastBuild/api/json',
    '/hudson/job/shop/ws/',
    '/hudson/user/x/my-views/view/All/job/shop/',
  ]),
  'another site can make a browser build, change or fetch nothing here': [
    ...attempts(
      403,
      'dev',
      'GET',
      ['/hudson/job/shop/build', '/archiva/restServices/archivaServices/managedRepositoriesService/getManagedRepositories'],
      { headers: ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate'] },
    ),
    ...attempts(403, 'dev', 'POST', ['/hudson/job/shop/build', '/archiva/x', '/archiva/repository/shop/x'], {
      headers: ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', empty],
    }),
    ...attempts(403, 'dev', 'GET', ['/hudson/job/shop/', '/archiva/'], {
      headers: ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors'],
    }),
  ],
};

describe('a request made by hand', () => {
  let before = '';

  beforeAll(async () => {
    session = openSession(appliance.dir);
    await layOutApps(session, projects);
    for (const { name } of projects)
      await archivaDeploy(session, name, 'org/seed/hello/1.0/hello-1.0.jar', `hello from ${name}.`);
    before = await state();
  });
  afterAll(async () => {
    clients.remove();
    await session.close();
  });

  it.each(Object.entries(table))('%s', async (_name, list) => {
    await expectRefusals(list);
  });

  it('left no trace in any repository', async () => {
    expect(await state()).toBe(before);
  });

  it('a bookmark would have moved for a developer: the request itself is right', async () => {
    const id = (await hgInside('log', '--rev', 'tip', '--template', '{node}')).trim();
    const answer = await clients.curl({
      method: 'POST',
      as: 'dev',
      path: `/hg/open?cmd=pushkey&namespace=bookmarks&key=honest&old=&new=${id || '0'.repeat(40)}`,
      headers: [empty],
    });
    expect(answer.status).toBe(200);
    if (id !== '') expect(await hgInside('bookmarks')).toContain('honest');
    await hgInside('bookmark', '--delete', 'honest').catch(() => '');
  });

  it('says hardly more to a foreign project than to none', async () => {
    for (const path of [
      '/svn/NAME/',
      '/hg/NAME',
      '/trac/NAME/wiki',
      '/archiva/repository/NAME/',
      '/hudson/job/NAME/',
      `/git/NAME.git/${uploadPack}`,
    ]) {
      const [foreign, none] = await Promise.all(
        ['shop', 'none'].map((name) => clients.curl({ path: path.replace('NAME', name), as: 'out' })),
      );
      expect({ path, status: foreign?.status, body: foreign?.body }).toEqual({ path, status: none?.status, body: none?.body });
    }
  });

  async function state(): Promise<string> {
    const script = `
      for name in ${projects.map(({ name }) => name).join(' ')}; do
        echo "svn $name $(svnlook youngest /srv/svn/$name)"
        setpriv --reuid git --regid git --clear-groups git -C /srv/git/$name.git for-each-ref
        setpriv --reuid hg --regid hg --clear-groups env HGRCPATH= hg -R /srv/hg/$name log --template '{node} {bookmarks}\\n'
        setpriv --reuid hg --regid hg --clear-groups env HGRCPATH= hg -R /srv/hg/$name bookmarks
        find /srv/maven/repositories/$name -type f ! -path '*/.indexer/*' -exec sha256sum {} + | sort
      done
      ls /srv/ci/hudson/jobs; find /srv/ci/hudson/jobs -name nextBuildNumber -exec cat {} +`;
    return session.run(['sh', '-eu', '-c', script]);
  }

  function hgInside(...args: string[]): Promise<string> {
    return session.run([
      'setpriv',
      '--reuid',
      'hg',
      '--regid',
      'hg',
      '--clear-groups',
      'env',
      'HGRCPATH=',
      'hg',
      '-R',
      '/srv/hg/open',
      ...args,
    ]);
  }
});
