import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deferred } from '../../../provision/projects/deferred.ts';
import { asker, worldOffice } from '../../support/office-world.ts';
import { snapshot } from '../../support/project-world.ts';

let dir = '';
let office: ReturnType<typeof worldOffice>;
let ask: ReturnType<typeof asker>;
/** What the next act or word to the directory waits for. */
let held: { readonly at: string; readonly reached: () => void; readonly until: Promise<void> } | undefined;
/** Acts that fail. */
let broken: readonly string[] = [];

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'remove-'));
  mkdirSync(path.join(dir, 'files'));
  [held, broken] = [undefined, []];
  office = worldOffice(dir, async (what, name) => {
    if (broken.includes(what)) throw new Error(`${what} is broken`);
    const stop = held;
    if (stop === undefined || ![what, `${what} ${name}`].includes(stop.at)) return;
    held = undefined;
    stop.reached();
    await stop.until;
  });
  ask = asker(office);
  for (const name of ['ann', 'bob']) await ask('POST /users', { name, password: 'good-Passw0rd' });
  await ask('POST /projects', { name: 'shop', maven: false, members: { bob: 'developer' } });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Begins something and stops it at a place; `release` lets it go on, `end` says whether it succeeded. */
async function stopped(at: string, begin: () => Promise<unknown>): Promise<{ release: () => void; end: Promise<string> }> {
  const [reached, gate] = [deferred<void>(), deferred<void>()];
  held = { at, reached: reached.resolve, until: gate.promise };
  const end = begin().then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  await reached.promise;
  return { release: gate.resolve, end };
}

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
/** Whatever of the projects still names ann. */
const traces = (): string[] => Object.entries(snapshot(dir)).flatMap(([file, text]) => (text.includes('ann') ? [file] : []));

const waysIn: readonly (readonly [string, readonly string[], () => Promise<unknown>])[] = [
  [
    'a member is added',
    ['directory:read ann', 'core.admins:apply'],
    () => ask('PATCH /projects/shop', { members: { ann: 'admin' } }),
  ],
  [
    'a project is made',
    ['directory:read ann', 'repo.repository:make', 'core.admins:apply'],
    () => ask('POST /projects', { name: 'fresh', maven: false, members: { ann: 'admin' } }),
  ],
  [
    'a project comes back',
    ['directory:people', 'wiki.pages:unstash', 'core.admins:apply'],
    () => ask('POST /deleted/gone/undelete'),
  ],
];

describe('removing somebody', () => {
  beforeEach(async () => {
    await ask('POST /projects', { name: 'gone', maven: false, members: { ann: 'admin' } });
    await ask('DELETE /projects/gone');
  });

  for (const [what, places, begin] of waysIn)
    it.each(places)(`leaves nothing of them, when %s waits while ${what}`, async (place) => {
      const other = await stopped(place, begin);
      const removal = ask('DELETE /users/ann');
      await soon();
      other.release();
      await removal;
      await other.end;
      expect(traces()).toEqual([]);
      await ask('POST /users', { name: 'ann', password: 'other-Passw0rd' });
      expect(await ask('GET /users/ann')).toMatchObject({ projects: {} });
    });

  it.each(['directory:remove ann', 'core.admins:apply'])('lets nobody take them in any more, once it waits at %s', async (at) => {
    await ask('PATCH /projects/shop', { members: { ann: 'admin' } });
    const removal = await stopped(at, () => ask('DELETE /users/ann'));
    const others = waysIn.map(([, , begin]) => begin().catch((error: unknown) => (error as Error).message));
    await soon();
    removal.release();
    expect(await removal.end).toBe('done');
    expect(await Promise.all(others)).toEqual([
      'there is no user ann (devserver user add ann)',
      'there is no user ann (devserver user add ann)',
      expect.objectContaining({ dropped: ['ann'] }),
    ]);
    expect(traces()).toEqual([]);
  });

  it('waits for no job that has nothing to do with them', async () => {
    const other = await stopped('wiki.pages:apply', () => ask('PATCH /projects/shop', { title: 'Other' }));
    expect(await ask('DELETE /users/ann')).toEqual({ removed: 'ann', projects: [] });
    other.release();
    expect(await other.end).toBe('done');
  });

  it('is refused while a job that could bring them in is left open, and works once that is ended', async () => {
    broken = ['core.admins:apply', 'wiki.pages:remove'];
    const made = ask('POST /projects', { name: 'fresh', maven: false, members: { ann: 'admin' } });
    await expect(made).rejects.toMatchObject({ exitCode: 6 });
    await expect(ask('DELETE /users/ann')).rejects.toMatchObject({
      message: /^an earlier change of fresh is not ended/,
      exitCode: 7,
    });
    expect(await ask('GET /users/ann')).toMatchObject({ name: 'ann' });
    broken = [];
    expect(await ask('DELETE /users/bob'), 'nobody else is concerned').toMatchObject({ removed: 'bob' });
    expect(await ask('POST /jobs/resume')).toEqual({ left: [] });
    await ask('DELETE /users/ann');
    expect(traces()).toEqual([]);
  });

  it('takes them out of a project that is deleted meanwhile no more, and removes them all the same', async () => {
    await ask('PATCH /projects/shop', { members: { ann: 'admin' } });
    const deletion = await stopped('repo.repository:stash', () => ask('DELETE /projects/shop'));
    const removal = ask('DELETE /users/ann');
    await soon();
    deletion.release();
    expect(await deletion.end).toBe('done');
    expect(await removal).toEqual({ removed: 'ann', projects: ['shop'] });
    await ask('POST /users', { name: 'ann', password: 'other-Passw0rd' });
    expect(await ask('POST /deleted/shop/undelete')).toMatchObject({ dropped: ['ann'] });
  });

  it('leaves one administrator, also when two remove each other at once', async () => {
    await ask('PATCH /users/bob', { admin: true });
    const ends = await Promise.allSettled([ask('DELETE /users/bob'), ask('DELETE /users/root-admin')]);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(office.directory.groups.admins).toHaveLength(1);
  });
});
