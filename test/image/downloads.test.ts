import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCache } from '../../src/image/cache.ts';
import type { ImageContext } from '../../src/image/context.ts';
import { artifactName, fetchDownload } from '../../src/image/downloads.ts';
import { fetchText } from '../../src/image/fetch.ts';
import { mavenUrl } from '../../src/image/sources/maven.ts';
import { defaultPypiIndex, pypiUrl } from '../../src/image/sources/pypi.ts';
import { realSystem } from '../../src/kernel/system.ts';

let dir = '';
let server: Server | undefined;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'downloads-test-'));
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  rmSync(dir, { recursive: true, force: true });
});

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

const body = 'the artifact';
const sha256 = createHash('sha256').update(body).digest('hex');
const context = (mirrors: ImageContext['mirrors'] = {}): ImageContext => ({
  dir,
  cache: dir,
  system: realSystem(),
  report: () => {},
  mirrors,
});
const artifact = (url: string, more = {}) => ({
  component: 'demo',
  source: { url },
  sha256,
  to: '/opt/',
  ...more,
});

test('a right artifact arrives once and then needs no network', async () => {
  let requests = 0;
  const url = await serve((_request, response) => {
    requests += 1;
    response.end(body);
  });
  const cache = await openCache(dir);
  const first = await fetchDownload(artifact(`${url}/a.jar`, { bytes: body.length }), cache, context());
  const second = await fetchDownload(artifact('http://127.0.0.1:1/a.jar'), cache, context());
  expect(readFileSync(first.path, 'utf8')).toBe(body);
  expect([second.cached, requests]).toEqual([true, 1]);
});

test('a wrong digest names both, and the file is gone', async () => {
  const url = await serve((_request, response) => response.end('something else'));
  const wrong = createHash('sha256').update('something else').digest('hex');
  const error = await fetchDownload(artifact(`${url}/a.jar`), await openCache(dir), context()).catch((it) => it);
  expect(error.message).toBe('a.jar of demo has the wrong digest; the file was deleted');
  expect(error.details.join()).toContain(sha256);
  expect(error.details.join()).toContain(wrong);
  expect(readdirSync(path.join(dir, 'download'))).toEqual([]);
  expect(readdirSync(dir)).toEqual(['download']);
});

test('a wrong size is refused', async () => {
  const url = await serve((_request, response) => response.end(body));
  const failing = fetchDownload(artifact(`${url}/a.jar`, { bytes: 5 }), await openCache(dir), context());
  await expect(failing).rejects.toThrow('wrong size');
});

test('errors of the server and broken connections are tried again', async () => {
  let requests = 0;
  const url = await serve((request, response) => {
    requests += 1;
    if (requests === 1) response.writeHead(503).end();
    else if (requests === 2) request.socket.destroy();
    else response.end(body);
  });
  expect(await fetchText(url, { pause: 1 })).toBe(body);
  expect(requests).toBe(3);
});

test('three failures end in a remedy and exit code 4; a 404 is not tried again', async () => {
  let requests = 0;
  const url = await serve((request, response) => {
    requests += 1;
    response.writeHead(request.url === '/missing' ? 404 : 500).end();
  });
  await expect(fetchText(`${url}/x`, { pause: 1 })).rejects.toMatchObject({
    exitCode: 4,
    message: `${url}/x could not be fetched: the server answered 500`,
  });
  expect(requests).toBe(3);
  await expect(fetchText(`${url}/missing`)).rejects.toThrow('answered 404');
  expect(requests).toBe(4);
});

test('a server that falls silent is given up', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200);
    response.write('a');
  });
  await expect(fetchText(url, { pause: 1, idleTimeout: 50 })).rejects.toMatchObject({ exitCode: 4 });
});

test('an interruption ends a download at once', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200);
    response.write('a');
  });
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 30);
  await expect(fetchText(url, { signal: abort.signal })).rejects.toMatchObject({ exitCode: 130 });
});

test('a Maven coordinate becomes an address below the mirror', async () => {
  expect(await mavenUrl('org.apache.tomcat:tomcat:9.0.117:tar.gz', 'http://m/repo')).toBe(
    'http://m/repo/org/apache/tomcat/tomcat/9.0.117/tomcat-9.0.117.tar.gz',
  );
  expect(artifactName({ maven: 'g:a:1:jar:sources' })).toBe('a-1-sources.jar');
  await expect(mavenUrl('nonsense', undefined)).rejects.toMatchObject({ exitCode: 3 });
});

test('a file of a Python index is chosen by its digest', async () => {
  const url = await serve((_request, response) =>
    response.end(
      JSON.stringify({
        files: [
          { filename: 'tracmercurial-1.0.0.12.tar.gz', url: 'other.tar.gz', hashes: { sha256: 'x' } },
          { filename: 'TracMercurial-1.0.0.12.zip', url: '../../files/a.zip', hashes: { sha256 } },
        ],
      }),
    ),
  );
  const wanted = { name: 'TracMercurial', version: '1.0.0.12', form: 'sdist' } as const;
  expect(await pypiUrl({ ...wanted, sha256 }, `${url}/simple`)).toBe(`${url}/files/a.zip`);
  expect(await pypiUrl({ ...wanted, sha256: 'none' }, `${url}/simple/`)).toBe(`${url}/simple/tracmercurial/other.tar.gz`);
  await expect(defaultPypiIndex(dir)).rejects.toThrow();
});
