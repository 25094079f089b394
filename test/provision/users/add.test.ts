import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { applianceCatalogue, applianceComponent } from '../../support/appliance.ts';
import { asker, worldOffice } from '../../support/office-world.ts';
import { checkout } from '../../support/real.ts';

let dir = '';
let office: ReturnType<typeof worldOffice>;
let ask: ReturnType<typeof asker>;
/** A word to the directory that fails. */
let broken: string | undefined;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'add-'));
  mkdirSync(path.join(dir, 'files'));
  broken = undefined;
  office = worldOffice(dir, async (what, name) => {
    if (broken === `${what} ${name}`) throw new Error(`${what} is broken`);
  });
  ask = asker(office);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const names = (): string[] => [...office.directory.people.keys()].sort();

describe('adding somebody', () => {
  it('does it as a whole, or not at all', async () => {
    await expect(ask('POST /users', { name: 'ann', password: 'short' })).rejects.toThrow('at least 10 characters');
    broken = 'directory:apply creators';
    await expect(ask('POST /users', { name: 'ann', creator: true })).rejects.toThrow('is broken');
    expect(names()).toEqual(['root-admin']);
    broken = undefined;
    expect(await ask('POST /users', { name: 'ann', creator: true })).toMatchObject({ name: 'ann', creator: true });
  });

  it('says what is left, when even that can not be taken back', async () => {
    const failing = worldOffice(dir, async (what, name) => {
      if (['directory:apply creators', 'directory:remove ann'].includes(`${what} ${name}`)) throw new Error(`${what} is broken`);
    });
    await expect(asker(failing)('POST /users', { name: 'ann', creator: true })).rejects.toMatchObject({
      message: 'directory:apply is broken',
      details: ['ann could not be taken back: directory:remove is broken'],
      hint: 'devserver user remove ann',
      exitCode: 6,
    });
  });

  it('takes the place of what an add left that was cut short, and of nobody else', async () => {
    office.directory.people.set('ann', { account: 'half', fullName: 'ann' });
    expect(await ask('POST /users', { name: 'ann', password: 'good-Passw0rd' })).toMatchObject({ name: 'ann' });
    expect(office.directory.people.get('ann')).toMatchObject({ password: 'good-Passw0rd' });
    expect(office.directory.people.get('ann')?.account).not.toBe('half');
    await expect(ask('POST /users', { name: 'ann' })).rejects.toThrow('there is already a user ann');
    office.directory.people.set('bob', { account: 'made-by-hand', fullName: 'bob' });
    await ask('POST /projects', { name: 'shop', maven: false, members: { bob: 'admin' } });
    await expect(ask('POST /users', { name: 'bob' })).rejects.toThrow('there is already a user bob');
  });

  it('can be tried without doing it, with all faults at once', async () => {
    expect(await ask('POST /users?dryRun=true', { name: 'ann' })).toEqual({ dryRun: true });
    await expect(ask('POST /users?dryRun=true', { name: 'admins', password: 'short' })).rejects.toMatchObject({
      details: ['the name admins is reserved', 'The new password needs at least 10 characters.'],
    });
    expect(names()).toEqual(['root-admin']);
  });

  it('adds one of two who come at once with the same name', async () => {
    const ends = await Promise.allSettled(
      ['one-Passw0rd', 'two-Passw0rd'].map((it) => ask('POST /users', { name: 'ann', password: it })),
    );
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(office.directory.people.get('ann')?.password).toBe('one-Passw0rd');
  });
});

describe('reserved names', () => {
  const folder = path.join(checkout, 'stacks/components');
  const components = readdirSync(folder).map((name) => {
    const given = parse(readFileSync(path.join(folder, name, 'component.yaml'), 'utf8')) as Record<string, unknown>;
    return applianceComponent({ ...given, name });
  });
  const catalogue = applianceCatalogue(components);
  const accounts = components.flatMap(({ secrets }) =>
    Object.values(secrets).flatMap((it) => it.serviceAccount ?? it.userAccount ?? []),
  );
  const pages = components.flatMap(({ web }) => web.map(({ at }) => at.split('/')[1] ?? '')).filter((it) => it !== '');
  // two letters are no name anyhow
  const words = [...components.flatMap((it) => it.reserved), ...pages, ...accounts].filter((it) => it.length > 2);
  const reserved = [...new Set(words)].sort();

  it('are those one would expect', () => {
    for (const name of ['guest', 'anonymous', 'authenticated', 'root', 'nobody', 'admins', 'internal', 'trac', 'archiva-driver'])
      expect(reserved).toContain(name);
  });

  it.each(reserved)('%s is no user', async (name) => {
    await expect(asker({ ...office, catalogue })('POST /users', { name, password: 'good-Passw0rd' })).rejects.toMatchObject({
      message: `the name ${name} is reserved`,
      exitCode: 3,
    });
    expect(names()).toEqual(['root-admin']);
  });
});
