import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { operationsOf } from '../../provision/api/routes.ts';
import type { AuditEntry } from '../../provision/audit/entry.ts';
import { frontRoutes } from '../../provision/daemon/front-routes.ts';
import type { Request, Response, Route } from '../../provision/daemon/server.ts';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { worldOffice } from '../support/office-world.ts';

const root = vi.hoisted(() => `/tmp/devserver-front-routes-${process.pid}`);
vi.mock('../../src/kernel/appliance.ts', async (original) => {
  const { pathsBelow } = await import('../support/paths-below.ts');
  const real = await original<typeof import('../../src/kernel/appliance.ts')>();
  return { ...real, appliancePaths: pathsBelow(root, real.appliancePaths) };
});

const told: AuditEntry[] = [];
let routes: Record<string, Route>;
beforeAll(() => {
  mkdirSync(path.dirname(appliancePaths.site), { recursive: true });
  writeFileSync(
    appliancePaths.site,
    JSON.stringify({ hostname: 'dev', url: 'https://dev.example.org:443', timezone: 'Etc/UTC' }),
  );
  const world = worldOffice(mkdtempSync(path.join(root, 'world-')));
  const office = { ...world, bench: { ...world.bench, audit: async (entry: AuditEntry) => void told.push(entry) } };
  const noStatus = (): never => {
    throw new Error('nobody asks');
  };
  routes = frontRoutes(office, operationsOf(office), noStatus, '1.0');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function ask(key: string, headers: Request['headers'], body = '', user = 'root-admin', query = ''): Promise<Response> {
  const [method = '', path = ''] = key.split(' ');
  const request = { method, path, user, headers, body, params: { name: 'shop', job: 'job-0000' } };
  return (routes[key] as Route)({ ...request, query: new URLSearchParams(query) });
}
const changes = (): string[] => Object.keys(routes).filter((key) => !key.startsWith('GET '));

describe('what the daemon serves behind the front', () => {
  it('changes something by these requests alone', () => {
    expect(changes().sort()).toEqual([
      'DELETE /api/projects/{name}',
      'DELETE /api/users/{name}',
      'PATCH /api/projects/{name}',
      'PATCH /api/users/{name}',
      'POST /api/deleted/{name}/undelete',
      'POST /api/doctor/fix',
      'POST /api/jobs/resume',
      'POST /api/projects',
      'POST /api/projects/{name}/rename',
      'POST /api/users',
      'POST /password',
    ]);
  });

  it.each([
    ['a foreign origin', { origin: 'https://evil.example.org' }],
    ['an opaque origin', { origin: 'null' }],
    ['an empty origin', { origin: '' }],
    ['our host over HTTP', { origin: 'http://dev.example.org' }],
    ['our host on another port', { origin: 'https://dev.example.org:8443' }],
    [
      'a foreign origin from an old browser that knows the other header',
      { origin: 'https://evil.example.org', 'sec-fetch-site': 'same-origin' },
    ],
    ['our origin from a sister host', { origin: 'https://dev.example.org', 'sec-fetch-site': 'same-site' }],
    ['no origin, cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['no origin, and no page at all', { 'sec-fetch-site': 'none' }],
  ])('takes none of them with %s', async (_what, headers) => {
    for (const key of changes()) {
      told.length = 0;
      const { status, body, type } = await ask(key, { ...headers, 'content-type': 'application/json' }, '{}');
      // who was logged in is told the audit log
      const result = 'refused: 403 this request came from another site';
      expect(told).toEqual([{ who: 'root-admin', what: key, to: '', result }]);
      expect({ key, status }).toEqual({ key, status: 403 });
      expect(body).toContain('came from another site');
      expect(type).toBe(key.includes('/api/') ? 'application/json' : 'text/plain; charset=utf-8');
    }
  });

  it.each([
    ['a program, which says nothing', {}],
    ['a page of ours', { origin: 'https://dev.example.org', 'sec-fetch-site': 'same-origin' }],
    ['a page of ours in a browser without the newer header', { origin: 'https://dev.example.org' }],
  ])('takes them from %s', async (_what, headers) => {
    expect(await ask('POST /api/jobs/resume', headers)).toMatchObject({ status: 200, body: '{"left":[]}\n' });
  });

  it.each(['dryRun=1', 'dryRun=True', 'dryRun='])('does nothing for %s, which means neither yes nor no', async (query) => {
    expect(await ask('DELETE /api/projects/{name}', {}, '', 'root-admin', query)).toMatchObject({
      status: 400,
      body: expect.stringContaining('may be true or false') as string,
    });
  });

  it('makes who asks too often wait, and says how long', async () => {
    // what is allowed grows meanwhile, by less than a quick asker asks
    let answer = await ask('GET /api/projects', {}, '', 'bob');
    for (let tries = 0; tries < 2000 && answer.status === 200; tries += 1) answer = await ask('GET /api/projects', {}, '', 'bob');
    expect(answer).toMatchObject({
      status: 429,
      headers: { 'Retry-After': '1' },
      body: expect.stringContaining('"hint":"wait 1 s"') as string,
    });
    expect((await ask('GET /api/projects', {}, '', 'ann')).status).toBe(200);
  });

  it('lets everybody read what the login may, wherever the link stood', async () => {
    const cross = { 'sec-fetch-site': 'cross-site' };
    expect((await ask('GET /api/projects', cross)).status).toBe(200);
    expect((await ask('GET /password', cross)).status).toBe(200);
  });
});
