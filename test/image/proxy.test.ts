import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeAuthority, makeCertificate } from '../../provision/boot/certificates.ts';
import { fetchText, fetchToFile } from '../../src/image/fetch.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { withApt } from '../../src/lock/apt.ts';
import { archiveAnswers } from '../../src/plan/base.ts';
import { type FileServer, serveFiles } from '../support/file-server.ts';
import { type ForwardProxy, openForwardProxy } from '../support/forward-proxy.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'proxy-'));
const password = 'gehe:im@1';
const login = `ann:${encodeURIComponent(password)}`;
let files: FileServer;
let secure: https.Server;
let proxy: ForwardProxy;
let port = '';
let securePort = 0;

beforeAll(async () => {
  mkdirSync(path.join(folder, 'web/dists/s'), { recursive: true });
  for (const file of ['a.txt', 'dists/s/InRelease']) writeFileSync(path.join(folder, 'web', file), 'the text');
  files = await serveFiles(path.join(folder, 'web'));
  port = new URL(files.url).port;
  const [ca, tls] = [path.join(folder, 'ca'), path.join(folder, 'tls')];
  await makeAuthority(ca, 'CA of test', 2, realSystem());
  await makeCertificate({ file: tls, issuer: ca, names: ['secure.invalid'], days: 2, renewBefore: 0 }, realSystem());
  secure = https.createServer({ key: readFileSync(`${tls}.key`), cert: readFileSync(`${tls}.crt`) }, (request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: `http://127.0.0.1:${port}/a.txt` }).end();
    else response.end('by TLS');
  });
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  securePort = (secure.address() as AddressInfo).port;
});
afterAll(async () => {
  secure.closeAllConnections();
  secure.close();
  await files.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  proxy = await openForwardProxy(`ann:${password}`);
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy'])
    for (const it of [name, name.toUpperCase()]) vi.stubEnv(it, undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await proxy.close();
});

const address = (who = login): string => `http://${who}@127.0.0.1:${proxy.port}`;

async function failure(work: Promise<unknown>): Promise<UserError> {
  const error: unknown = await work.catch((it: unknown) => it);
  if (!(error instanceof UserError)) throw new Error(`no UserError: ${String(error)}`);
  for (const told of [error.message, error.hint ?? '', ...error.details, JSON.stringify(error), error.stack ?? ''])
    expect(told).not.toMatch(/gehe|ann:/);
  return error;
}

describe('downloads', () => {
  it.each(['http_proxy', 'HTTP_PROXY'])('go by the proxy of %s, with its login', async (name) => {
    vi.stubEnv(name, address());
    const file = path.join(folder, 'got');
    // the name exists for the proxy alone
    await fetchToFile(`http://firm.invalid:${port}/a.txt`, file);
    expect(readFileSync(file, 'utf8')).toBe('the text');
    expect(await archiveAnswers(`http://firm.invalid:${port}`, 's')).toBe(true);
    expect(proxy.asked[0]).toBe(`GET http://firm.invalid:${port}/a.txt`);
    expect(proxy.asked[1]).toMatch(/\/dists\/s\/InRelease$/);
  });

  it.each(['https_proxy', 'HTTPS_PROXY'])('with TLS go through a tunnel of the proxy of %s', async (name) => {
    vi.stubEnv(name, address());
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    expect(await fetchText(`https://secure.invalid:${securePort}/`)).toBe('by TLS');
    expect(proxy.asked).toEqual([`CONNECT secure.invalid:${securePort}`]);
    // a redirect to where no proxy leads goes there straight
    expect(await fetchText(`https://secure.invalid:${securePort}/moved`)).toBe('the text');
    expect(proxy.asked.filter((it) => !it.startsWith('CONNECT secure.invalid:'))).toEqual([]);
  });

  it.each(['0.0.0.0', 'x.example.org, 0.0.0.0', '0.0.0.0:PORT', '*'])('go straight where no_proxy is %j', async (list) => {
    vi.stubEnv('http_proxy', 'http://127.0.0.1:1');
    vi.stubEnv('no_proxy', list.replace('PORT', port));
    expect(await fetchText(`http://0.0.0.0:${port}/a.txt`)).toBe('the text');
    vi.stubEnv('no_proxy', '0.0.0.1 0.0.0 .0.0 0.0.0.0:1');
    expect(await failure(fetchText(`http://0.0.0.0:${port}/a.txt`, { pause: 1 }))).toMatchObject({ exitCode: 4 });
  });

  it('go straight to this computer', async () => {
    vi.stubEnv('http_proxy', 'http://127.0.0.1:1');
    expect(await fetchText(`${files.url}/a.txt`)).toBe('the text');
  });

  it('are told to end at a proxy that is down, with its address, without its login', async () => {
    vi.stubEnv('http_proxy', `http://${login}@127.0.0.1:1`);
    expect(await failure(fetchText('http://firm.invalid/a.txt', { pause: 1 }))).toMatchObject({
      message:
        'http://firm.invalid/a.txt could not be fetched through the proxy http://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
      hint: 'check http_proxy (http://USER:PASSWORD@HOST:PORT), or name firm.invalid in no_proxy where it is reached without',
      exitCode: 4,
    });
  });

  it.each(['http', 'https'])('by %s are told to end at a proxy that refuses the login, at once', async (scheme) => {
    vi.stubEnv(`${scheme}_proxy`, address('ann:gehe'));
    const error = await failure(fetchText(`${scheme}://firm.invalid/a.txt`));
    expect([error.message, error.exitCode]).toEqual([
      expect.stringMatching(/through the proxy http:\/\/127\.0\.0\.1:\d+: .*\(?407\)?/),
      4,
    ]);
    expect(error.hint).toContain(`check ${scheme}_proxy`);
    expect(proxy.asked).toHaveLength(1);
    expect(proxy.asked[0]).toMatch(/^407 /);
  });

  it('tell a variable that holds no address without telling what it holds', async () => {
    for (const value of ['socks5://ann:gehe@x:1', 'http://', 'http://ann:gehe@x:99999']) {
      vi.stubEnv('http_proxy', value);
      expect(await failure(fetchText('http://firm.invalid/'))).toMatchObject({
        message: expect.stringMatching(/^http_proxy /),
        exitCode: 2,
      });
    }
  });
});

describe('programs', () => {
  it('get the variables in small letters, which apt needs, from capital ones', async () => {
    vi.stubEnv('HTTP_PROXY', address());
    vi.stubEnv('NO_PROXY', 'a');
    vi.stubEnv('no_proxy', 'b');
    const { stdout } = await realSystem().run({ file: 'sh', args: ['-c', 'echo "$http_proxy $no_proxy $https_proxy"'] });
    expect(stdout).toBe(`${address()} b `);
  });

  const helper = '/usr/lib/apt/apt-helper';
  it.skipIf(!existsSync(helper))('of apt fetch by the proxy', async () => {
    vi.stubEnv('HTTP_PROXY', address());
    const to = path.join(folder, 'by-apt');
    await realSystem().run({ file: helper, args: ['download-file', `http://firm.invalid:${port}/a.txt`, to] });
    expect(readFileSync(to, 'utf8')).toBe('the text');
    expect(proxy.asked.at(-1)).toBe(`GET http://firm.invalid:${port}/a.txt`);
  });

  it.skipIf(realSystem().which('apt-get') === undefined)('of apt do so, as a lock is made', async () => {
    vi.stubEnv('HTTP_PROXY', address());
    const sources = {
      ...{ suite: 's', architecture: 'amd64', packageComponents: ['main'], extraSources: [], packages: ['a'] },
      keyring: { file: '/dev/null', package: 'k' },
    };
    const own = [{ url: `http://firm.invalid:${port}`, suite: 's' }];
    // the archive is signed by nobody
    await failure(withApt({ sources, own, keys: new Map(), folder }, realSystem(), ({ resolve }) => resolve(['a'])));
    expect(proxy.asked).toContain(`GET http://firm.invalid:${port}/dists/s/InRelease`);
  });
});
