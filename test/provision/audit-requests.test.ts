import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Office } from '../../provision/api/office.ts';
import { apiRoutes, operationsOf } from '../../provision/api/routes.ts';
import type { AuditEntry } from '../../provision/audit/entry.ts';
import type { Request, Response } from '../../provision/daemon/server.ts';
import { openWorkshop } from '../../provision/projects/workshop.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { specification, worldBench } from '../support/project-world.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'audit-requests-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const told: AuditEntry[] = [];
let broken: string | undefined;
const bench = { ...worldBench(dir, () => broken), audit: async (entry: AuditEntry) => void told.push(entry) };
const groups = { admins: ['ann'], creators: ['cara'] };
const person = (name: string) => ({ name, account: `account-${name}`, fullName: name, disabled: false, hasPassword: true });
const known = ['ann', 'bob', 'cara'].map(person);
const people: Office['people'] = {
  content: async () => ({ people: known, groups }),
  accounts: async () => new Map(known.map(({ name, account }) => [name, account])),
  check: async () => {},
  isPerson: async (name) => known.some((it) => it.name === name),
  apply: async (name) => {
    if (name === 'down') throw new UserError('the user database does not answer');
    if (name === 'bug') throw new TypeError('hunter2-secret is no function');
    if (!known.some((it) => it.name === name)) known.push(person(name));
  },
  remove: async (_name, first) => {
    await first();
  },
  setGroup: async () => {},
};
const office: Office = {
  ...{ catalogue: bench.catalogue, bench, people, workshop: openWorkshop(bench), publishSite: async () => {} },
  templates: () => [
    {
      ...{ name: 'empty', title: 'Empty', summary: '', folder: dir, needs: [], lacks: [], parts: [], build: null },
    } as ReturnType<Office['templates']>[number],
  ],
};
const routes = apiRoutes(office, operationsOf(office), 'front', '1.0');

/** A request as the front hands it over; `body` as text is sent as it stands. */
async function ask(user: string | undefined, route: string, body?: unknown, more: Partial<Request> = {}): Promise<Response> {
  const [method = '', at = ''] = route.split(' ');
  const handler = routes[route];
  if (handler === undefined) throw new Error(`there is no ${route}`);
  const headers = { 'content-type': 'application/json' };
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? {});
  return handler({ method, path: at, user, headers, body: text, params: {}, query: new URLSearchParams(), ...more });
}

beforeEach(() => {
  told.length = 0;
  broken = undefined;
});

describe('what the audit log is told of requests', () => {
  it('is each change of people, once it is done, with what was set and never what somebody typed', async () => {
    const secret = 'hunter2-secret';
    const set = { password: secret, fullName: secret, mail: 'hunter2-secret@example.org', disabled: true, creator: false };
    expect((await ask('ann', 'POST /api/users', { name: 'dora', password: secret, creator: true })).status).toBe(200);
    expect((await ask('ann', 'PATCH /api/users/{name}', set, { params: { name: 'dora' } })).status).toBe(200);
    expect((await ask('ann', 'PATCH /api/users/{name}', { newPassword: true }, { params: { name: 'dora' } })).status).toBe(200);
    expect((await ask('ann', 'POST /api/doctor/fix')).status).toBe(200);
    expect(told).toEqual([
      { who: 'ann', what: 'user add creator=true', to: 'dora', result: 'done' },
      { who: 'ann', what: 'user change fullName mail password disabled=true creator=false', to: 'dora', result: 'done' },
      { who: 'ann', what: 'user change newPassword', to: 'dora', result: 'done' },
      { who: 'ann', what: 'doctor --fix', to: '', result: 'done: 0 put right' },
    ]);
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  it('is what the doctor put right, by name', async () => {
    const change = { kind: 'create', after: specification('doctored') } as const;
    const job = await office.workshop.start('doctored', 'ann', async () => ({ change, seed: { files: [] } as never }));
    expect(await job.outcome).toEqual({ result: 'done' });
    rmSync(path.join(dir, 'world/jobs/doctored'), { recursive: true });
    told.length = 0;
    expect((await ask('ann', 'POST /api/doctor/fix')).status).toBe(200);
    expect(told.at(-1)).toMatchObject({
      what: 'doctor --fix',
      result: expect.stringMatching(/^done: 1 put right, doctored jobs\.job$/),
    });
  });

  it('is each change that is refused, and each look that somebody may not take', async () => {
    await ask('bob', 'POST /api/projects', { name: 'shop' });
    await ask('ann', 'POST /api/projects', { name: 'shop', vcs: 'none' });
    await ask('bob', 'POST /api/users', { name: 'eve' });
    await ask('ann', 'POST /api/users', { name: 'bob' });
    await ask('ann', 'DELETE /api/projects/{name}', undefined, { params: { name: 'none' } });
    await ask('bob', 'GET /api/users');
    await ask('ann', 'POST /api/users', { name: 'down' });
    expect(told).toEqual([
      {
        who: 'bob',
        what: 'project create',
        to: 'shop',
        result: 'refused: 403 only members of the group creators may make projects',
      },
      {
        who: 'ann',
        what: 'project create',
        to: 'shop',
        result: expect.stringMatching(/^refused: 400 there is no none here/) as string,
      },
      { who: 'bob', what: 'user add', to: 'eve', result: 'refused: 403 only administrators may do this' },
      { who: 'ann', what: 'user add', to: 'bob', result: 'refused: 409 there is already a user bob' },
      { who: 'ann', what: 'project delete', to: 'none', result: 'refused: 404 there is no project none' },
      { who: 'bob', what: 'GET /api/users', to: '', result: 'refused: 403 only administrators may do this' },
      { who: 'ann', what: 'user add', to: 'down', result: expect.stringMatching(/^refused: \d+ the user database/) as string },
    ]);
  });

  it('is nothing of what a body holds that could not be read, and nothing of our own faults', async () => {
    expect((await ask('ann', 'POST /api/users', '{"name": "eve", "password": hunter2-secret}')).body).toContain('hunter2');
    await ask('ann', 'POST /api/users', { name: 'eve', password: ['hunter2-secret'], 'hunter2-secret': 1 });
    await ask('ann', 'POST /api/users', { name: 'bug', password: 'hunter2-secret' });
    expect(told).toEqual([
      { who: 'ann', what: 'user add', to: '', result: 'refused: 400 the body is no JSON' },
      { who: 'ann', what: 'user add', to: '', result: 'refused: 400 this can not be done as it was asked for' },
      { who: 'ann', what: 'user add', to: 'bug', result: 'failed: 500' },
    ]);
  });

  it('is the end of a job once, with its name, also when it fails', async () => {
    expect((await ask('ann', 'POST /api/projects', { name: 'shop', vcs: 'git' })).status).toBe(200);
    broken = 'wiki.pages:make';
    expect((await ask('cara', 'POST /api/projects', { name: 'other', vcs: 'git' })).status).toBe(409);
    broken = undefined;
    await ask('ann', 'POST /api/projects', { name: 'shop', vcs: 'git' });
    const job = expect.stringMatching(/^\d{8}t\d{9}-[0-9a-f]{8}$/) as string;
    expect(told).toEqual([
      { who: 'ann', what: 'project create', to: 'shop', job, result: 'done' },
      { who: 'cara', what: 'project create', to: 'other', job, result: 'undone: wiki is broken' },
      { who: 'ann', what: 'project create', to: 'shop', result: 'refused: 409 there is already a project shop' },
    ]);
  });

  it('is no look, no dry run, nobody who has not logged in, and not each of too many requests', async () => {
    const query = new URLSearchParams({ dryRun: 'true' });
    await ask('ann', 'GET /api/users');
    await ask('ann', 'POST /api/projects', { name: 'third', vcs: 'git' }, { query });
    await ask('ann', 'POST /api/projects', { name: 'third', vcs: 'none' }, { query });
    expect((await ask(undefined, 'POST /api/users', { name: 'eve' })).status).toBe(401);
    expect(told).toEqual([]);
    const statuses = await Promise.all(
      Array.from({ length: 70 }, async () => (await ask('mallory', 'POST /api/users', { name: 'eve' })).status),
    );
    expect(statuses.filter((it) => it === 429).length).toBeGreaterThan(5);
    expect(told).toHaveLength(statuses.filter((it) => it === 403).length);
  });

  it('does not keep a request from being answered when the log takes nothing', async () => {
    const deaf = { ...office, bench: { ...bench, audit: () => Promise.reject(new Error('there is no audit log')) } };
    const route = apiRoutes(deaf, operationsOf(deaf), 'control', '1.0')['POST /api/users'];
    const answer = await route?.({
      ...{ method: 'POST', path: '/api/users', user: undefined, headers: { 'content-type': 'application/json' } },
      ...{ body: '{"name": "gus"}', params: {}, query: new URLSearchParams() },
    });
    expect(answer?.status).toBe(200);
  });
});
