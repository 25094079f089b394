import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { asker, worldOffice } from '../../support/office-world.ts';
import { specification } from '../../support/project-world.ts';

let dir = '';
let office: ReturnType<typeof worldOffice>;
let ask: ReturnType<typeof asker>;
beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'accounts-'));
  mkdirSync(path.join(dir, 'files'));
  office = worldOffice(dir);
  ask = asker(office);
  for (const name of ['ann', 'bob', 'eve']) await ask('POST /users', { name, password: 'good-Passw0rd' });
  await ask('POST /projects', { name: 'shop', maven: false, members: { ann: 'admin', bob: 'developer', eve: 'reader' } });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const members = (): unknown => office.bench.specifications.find('shop')?.members;

describe('a project that comes back', () => {
  it('has its members again, when they are who they were', async () => {
    await ask('DELETE /projects/shop');
    await ask('PATCH /users/bob', { fullName: 'Bob Renamed', newPassword: true });
    expect(await ask('POST /deleted/shop/undelete')).toMatchObject({ dropped: [] });
    expect(members()).toEqual({ ann: 'admin', bob: 'developer', eve: 'reader', 'root-admin': 'admin' });
  });

  it('gives nothing to somebody new of an old name, or to a name nobody has, and tells both', async () => {
    await ask('DELETE /projects/shop');
    for (const name of ['ann', 'eve']) await ask(`DELETE /users/${name}`);
    await ask('POST /users', { name: 'ann', password: 'other-Passw0rd' });
    expect(await ask('POST /deleted/shop/undelete?dryRun=true')).toMatchObject({ dryRun: true, dropped: ['ann', 'eve'] });
    expect(await ask('POST /deleted/shop/undelete')).toMatchObject({
      dropped: ['ann', 'eve'],
      project: { members: { bob: 'developer', 'root-admin': 'admin' } },
    });
    expect(members()).toEqual({ bob: 'developer', 'root-admin': 'admin' });
    expect(await ask('GET /users/ann')).toMatchObject({ projects: {} });
  });

  it('has them also when the daemon died right behind the commit of its deletion', async () => {
    await ask('DELETE /projects/shop');
    const [{ job } = { job: '' }] = office.bench.deleted.all();
    rmSync(path.join(dir, 'deleted', `${job}.yaml`));
    const journal = path.join(dir, 'jobs', job, 'journal');
    const lines = readFileSync(journal, 'utf8').split('\n');
    writeFileSync(journal, `${lines.slice(0, lines.findIndex((it) => it.includes('"commit"')) + 1).join('\n')}\n`);
    const again = worldOffice(dir);
    for (const [name, person] of office.directory.people) again.directory.people.set(name, person);
    expect(await again.workshop.takeUpAll()).toEqual([]);
    expect(await asker(again)('POST /deleted/shop/undelete?dryRun=true')).toMatchObject({ dropped: [] });
  });

  it('knows nobody by the record of an earlier release, which held names alone', async () => {
    const record = { job: '20260101t000000000-aaaaaaaa', at: '2026-11-01T00:00:00.000Z', project: specification('old') };
    writeFileSync(path.join(dir, 'deleted', `${record.job}.yaml`), stringify(record));
    expect(await ask('POST /deleted/old/undelete?dryRun=true')).toMatchObject({ dropped: ['ann'] });
  });
});
