import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deferred } from '../../../provision/projects/deferred.ts';
import { formerNamesOf, openFormerNames, renamed, withoutTakenNames } from '../../../provision/projects/former-names.ts';
import { asker, worldOffice } from '../../support/office-world.ts';
import { snapshot, specification } from '../../support/project-world.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'folder-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const named = (name: string, ...formerly: string[]) => specification(name, { formerly });
const mapIn = (): string => readFileSync(path.join(dir, 'renamed'), 'utf8');

describe('former names', () => {
  it('grow by the one a project had, and lose the one it gets back', () => {
    const store = renamed(named('shop'), 'store');
    expect([store.name, store.formerly]).toEqual(['store', ['shop']]);
    const mall = renamed(store, 'mall');
    expect(mall.formerly).toEqual(['shop', 'store']);
    expect(renamed(mall, 'shop').formerly).toEqual(['store', 'mall']);
  });

  it('lead nowhere while somebody has the name, and to one project only', () => {
    expect(formerNamesOf([named('store', 'shop', 'old'), named('shop'), named('other', 'old')])).toBe('old store\n');
    expect(formerNamesOf([])).toBe('');
  });

  it('are not taken back from who has them by now', () => {
    const back = named('store', 'shop', 'old', 'free', 'store');
    expect(withoutTakenNames(back, [named('shop'), named('other', 'old')]).formerly).toEqual(['free']);
  });

  it('are written when they change, and not otherwise', async () => {
    const file = path.join(dir, 'names');
    const { publish } = openFormerNames(file);
    publish([named('store', 'shop')]);
    const { ino } = statSync(file);
    publish([named('store', 'shop')]);
    expect(statSync(file).ino).toBe(ino);
    publish([]);
    expect(readFileSync(file, 'utf8')).toBe('');
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });
});

describe('a project that gets another name', () => {
  it('moves with all it has, and back; nothing of the other name is left', async () => {
    const ask = asker(worldOffice(dir));
    await ask('POST /projects', { name: 'shop', members: { 'root-admin': 'admin' } });
    const before = snapshot(dir);
    await ask('POST /projects/shop/rename', { name: 'store' });
    expect(Object.keys(snapshot(dir)).filter((it) => it.includes('shop'))).toEqual([]);
    expect(mapIn()).toBe('shop store\n');
    await ask('POST /projects/store/rename', { name: 'shop' });
    await ask('PATCH /projects/shop', { formerly: { store: null } });
    expect(mapIn()).toBe('');
    // what is derived is made by another job
    const unnamed = (it: Record<string, string>): string => JSON.stringify(it).replaceAll(/\d{8}t\d{9}-[0-9a-f]{8}/g, 'JOB');
    expect(unnamed(snapshot(dir))).toEqual(unnamed(before));
  });

  it('shows what would be done', async () => {
    const ask = asker(worldOffice(dir));
    await ask('POST /projects', { name: 'shop' });
    const before = snapshot(dir);
    const { steps } = (await ask('POST /projects/shop/rename?dryRun=true', { name: 'store' })) as { steps: string[] };
    expect(steps.filter((it) => it.endsWith('repo.repository'))).toEqual(['stash repo.repository', 'adopt repo.repository']);
    // who may go in is told last
    expect(steps.at(0)).toMatch(/^remove dir\.|^remove /);
    expect(snapshot(dir)).toEqual(before);
  });

  it('keeps the one it had from others; who may not see it does not learn what it is called', async () => {
    const office = worldOffice(dir);
    const ask = asker(office);
    await ask('POST /projects', { name: 'shop' });
    await ask('POST /projects/shop/rename', { name: 'store' });
    await expect(ask('POST /projects', { name: 'shop' })).rejects.toMatchObject({
      message: 'shop is what store was called: its old addresses lead there',
      hint: 'choose another name, or give that one up: devserver project free store shop',
    });
    await expect(ask('GET /projects/shop')).rejects.toMatchObject({ status: 404, hint: 'it is called store now' });
    const stranger = asker(office, { name: 'bob', isAdmin: false, isCreator: true });
    await expect(stranger('POST /projects', { name: 'shop' })).rejects.toMatchObject({
      message: 'shop is what another project was called: its old addresses lead there',
      hint: 'choose another name',
    });
    await expect(stranger('GET /projects/shop')).rejects.toMatchObject({ status: 404, hint: 'devserver project list' });
    await ask('POST /projects', { name: 'mall' });
    for (const taken of ['store', 'shop'])
      await expect(ask('POST /projects/mall/rename', { name: taken })).rejects.toMatchObject({ status: 409 });
    await expect(ask('POST /projects/mall/rename', { name: 'admins' })).rejects.toThrow('reserved');
    await expect(ask('PATCH /projects/store', { formerly: { mall: null } })).rejects.toThrow('store was never called mall');
  });

  it('is not begun while data is not whole', async () => {
    const office = worldOffice(dir);
    const ask = asker(office);
    await ask('POST /projects', { name: 'shop' });
    rmSync(path.join(dir, 'world/wiki/shop'));
    const before = snapshot(dir);
    await expect(ask('POST /projects/shop/rename', { name: 'store' })).rejects.toThrow(
      'what people made in shop is not whole: wiki.pages',
    );
    expect(snapshot(dir)).toEqual(before);
  });

  it('holds both names: two that change places both end, and who comes behind sees what came of it', async () => {
    const gate = deferred<void>();
    const office = worldOffice(dir, async (what) => {
      if (what === 'repo.repository:unstash') await gate.promise;
    });
    const ask = asker(office);
    for (const name of ['shop', 'store']) await ask('POST /projects', { name });
    const first = ask('POST /projects/shop/rename', { name: 'mall' });
    const others = [
      ask('POST /projects/mall/rename', { name: 'shop' }),
      ask('POST /projects', { name: 'mall' }),
      ask('POST /projects/store/rename', { name: 'shop' }),
    ].map((it) =>
      it.then(
        () => 'done',
        (error: Error) => error.message,
      ),
    );
    gate.resolve();
    await first;
    const ends = await Promise.all(others);
    expect(ends[0]).toBe('done');
    expect(ends.slice(1)).toEqual([
      expect.stringMatching(/mall/),
      expect.stringMatching(/there is already a project shop|shop is what mall was called/),
    ]);
    expect(office.bench.specifications.all().map(({ name }) => name)).toEqual(['shop', 'store']);
  });

  it('lets go of a person that is removed meanwhile', async () => {
    const gate = deferred<void>();
    const reached = deferred<void>();
    let holds = true;
    const office = worldOffice(dir, async (what) => {
      if (what !== 'repo.repository:unstash' || !holds) return;
      reached.resolve();
      await gate.promise;
    });
    const ask = asker(office);
    await ask('POST /users', { name: 'bob', password: 'a-Password-1' });
    await ask('POST /projects', { name: 'shop', members: { bob: 'developer' } });
    const renaming = ask('POST /projects/shop/rename', { name: 'store' });
    await reached.promise;
    const removing = ask('DELETE /users/bob');
    holds = false;
    gate.resolve();
    await Promise.all([renaming, removing]);
    expect(office.bench.specifications.find('store')?.members).not.toHaveProperty('bob');
  });
});
