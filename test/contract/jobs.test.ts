import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProjectFacts } from '../../src/kernel/project.ts';
import { factsOf } from '../e2e/support/resources.ts';
import { counted } from '../support/counted.ts';
import { type DriverProcess, startDriver } from '../support/driver-process.ts';
import { type JobServerStandIn, login, type Manners, startJobServer } from '../support/job-server.ts';
import { randomFrom } from '../support/random.ts';

/**
 * What every driver of a CI server does, against a stand-in for its server. Hudson's is held against the real one too
 * (test/e2e/hudson-driver.e2e.ts), which is what the stand-in was made after; Jenkins could not be run.
 */
const servers: readonly (Manners & { readonly name: string; readonly title: string; readonly places: Places })[] = [
  {
    ...{ name: 'hudson', title: 'Hudson', renames: 'doRename', wantsCrumb: false, deletesLater: true },
    places: { address: 'http://127.0.0.1:8082/hudson', account: 'hudson-driver', secret: '/srv/system/secrets/hudson/service' },
  },
  {
    ...{ name: 'jenkins', title: 'Jenkins', renames: 'confirmRename', wantsCrumb: true, deletesLater: false },
    places: { address: 'http://127.0.0.1:8083/jenkins', account: '"devserver"', secret: '/run/devserver/jenkins/account' },
  },
];

/** What in a driver's program stands for the server and its login. */
interface Places {
  readonly address: string;
  readonly account: string;
  readonly secret: string;
}

const kills = { full: 100, quick: 2 }[process.env.DEVSERVER_TEST_SIZE ?? ''] ?? 5;
const random = randomFrom(process.env.DEVSERVER_SEED ?? '1');
const job = 'job-0001';

describe.each(servers)('the driver of $name', ({ name, title, places, ...manners }) => {
  let folder: string;
  let root: string;
  let server: JobServerStandIn;
  let driver: DriverProcess;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), `jobs-${name}-`));
    root = path.join(folder, 'jobs');
    mkdirSync(path.join(root, '.stash'), { recursive: true });
    writeFileSync(path.join(folder, 'password'), login.password);
    server = await startJobServer(root, manners);
    driver = await startDriver(name, folder, {
      [places.address]: server.url,
      [places.account]: places.account.startsWith('"') ? `"${login.user}"` : login.user,
      [places.secret]: path.join(folder, 'password'),
      [`/srv/ci/${name}/jobs`]: root,
    });
  });
  afterEach(async () => {
    await driver.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (verb: string, facts: Partial<ProjectFacts> = {}, by = job): Promise<unknown> =>
    driver.ask(verb, { resource: 'job', project: factsOf('shop', facts), job: by });
  const twice = async (verb: string, facts: Partial<ProjectFacts> = {}): Promise<void> => {
    await ask(verb, facts);
    await ask(verb, facts);
  };
  const commit = (facts: Partial<ProjectFacts> = {}): Promise<unknown> =>
    driver.ask('event', { type: 'commit', id: '1', project: factsOf('shop', facts), user: 'ann', changes: [] });
  const onDisk = (): string[] => readdirSync(root).filter((it) => it !== '.stash');
  const config = (): string => path.join(root, 'shop/config.xml');
  const expectAlike = (names: string[]): void =>
    expect({ known: server.known(), disk: onDisk() }).toEqual({ known: names, disk: names });

  it('makes a job, configures it, stashes it with its builds, has it back and removes it; each verb twice', async () => {
    expect(await ask('read')).toEqual({ present: false });
    await twice('make');
    expect(await ask('read')).toEqual({ present: true, job });
    expectAlike(['shop']);
    expect(await driver.ask('list', { resource: 'job' })).toEqual(['shop']);
    await expect(ask('make', {}, 'another-job')).rejects.toThrow(/already something/);
    await expect(ask('remove', {}, 'another-job')).rejects.toThrow(/not made by this job/);
    await twice('apply', { title: 'A shop' });
    expect(await ask('read', { title: 'A shop' })).toEqual({ present: true, job });

    await commit();
    const log = server.log('shop', 1);
    await twice('stash');
    expectAlike([]);
    expect(await ask('read')).toEqual({ present: false });
    await expect(ask('apply')).rejects.toThrow(/missing/);
    await twice('unstash');
    expectAlike(['shop']);
    expect([server.builds('shop').length, server.log('shop', 1)]).toEqual([1, log]);
    expect(await ask('read')).toEqual({ present: true, job });

    await twice('stash');
    await twice('purge');
    await expect(ask('unstash')).rejects.toThrow(/missing/);
    await ask('make');
    await twice('remove');
    expectAlike([]);
    expect(readdirSync(path.join(root, '.stash'))).toEqual([]);
  });

  it('asks the build runner for its own project, and builds what is committed until the project is archived', async () => {
    await ask('make');
    expect(readFileSync(config(), 'utf8')).toContain('exec /usr/lib/devserver/request-build shop\n');
    await commit();
    await commit({ archived: true });
    await driver.ask('event', { type: 'build-finished', id: '2', project: factsOf('shop'), user: '', changes: [] });
    expect(server.builds('shop').map(({ number }) => number)).toEqual([1]);
    await ask('apply', { archived: true });
    await expect(commit()).rejects.toThrow(/409/);
    await ask('apply');
    await commit();
    expect(server.builds('shop').map(({ number }) => number)).toEqual([1, 2]);
  });

  it('does not spoil a running build for words, and stops it for an archived project', async () => {
    await ask('make');
    server.holds = true;
    await commit();
    await ask('apply', { title: 'Neu <b> & ü', description: 'a\nb' });
    expect(server.builds('shop')).toEqual([{ number: 1, building: true, spoilt: false }]);
    expect(await ask('read', { title: 'Neu <b> & ü', description: 'a\nb' })).toMatchObject({ present: true, job });
    await ask('apply', { archived: true });
    expect(server.builds('shop')).toEqual([{ number: 1, building: false, spoilt: false }]);
    expect(readFileSync(config(), 'utf8')).toContain('<disabled>true</disabled>');
  });

  it('stops what runs before it moves or removes it', async () => {
    server.holds = true;
    await ask('make');
    await commit();
    await ask('stash');
    await ask('unstash');
    expect(server.builds('shop')).toEqual([{ number: 1, building: false, spoilt: false }]);
    await commit();
    await ask('remove');
    expectAlike([]);
  });

  it('tells what somebody changed, and puts it right', async () => {
    await ask('make');
    const whole = readFileSync(config(), 'utf8');
    for (const [from, to, said] of [
      ['request-build shop', 'request-build other', 'does not build'],
      [/(canRoam>\s*)<disabled>false/, '$1<disabled>true', 'disabled'],
      ['<description>', '<description>other ', 'description'],
      ['</project>', '<publishers><hudson.tasks.Mailer/></publishers></project>', 'does not build'],
    ] as const) {
      writeFileSync(config(), whole.replace(from, to));
      server.reread();
      expect(await ask('read')).toMatchObject({ present: true, job, differs: expect.stringContaining(said) });
      await ask('apply');
      expect(await ask('read')).toEqual({ present: true, job });
    }
    rmSync(config());
    expect(await ask('read')).toMatchObject({ differs: 'config.xml is missing' });
    server.reread();
    expect(await ask('read')).toMatchObject({ differs: expect.stringContaining(`${title} does not know it`) });
    await expect(ask('apply')).rejects.toThrow(`${title} does not know it`);
  });

  it('never makes missing data empty, and says what is gone', async () => {
    await ask('make');
    rmSync(path.join(root, 'shop'), { recursive: true });
    expect(await ask('read')).toMatchObject({ lacks: `${title} remembers the job, its directory is gone` });
    await expect(ask('apply')).rejects.toThrow(/missing/);
    expect(onDisk()).toEqual([]);
  });

  it('keeps the builds when the server fails to make the job for them', async () => {
    await ask('make');
    await commit();
    const log = server.log('shop', 1);
    await ask('stash');
    server.failsToMake = true;
    await expect(ask('unstash')).rejects.toThrow(`${title} answered 500`);
    await ask('unstash');
    expect(server.log('shop', 1)).toBe(log);
  });

  it('says when the server starts, refuses it or is away', async () => {
    await driver.ask('bootstrap', {});
    server.starting = true;
    await expect(driver.ask('bootstrap', {})).rejects.toThrow(`${title} is starting`);
    await expect(ask('make')).rejects.toThrow(`${title} is starting`);
    server.starting = false;
    writeFileSync(path.join(folder, 'password'), 'another');
    await expect(driver.ask('ping', {})).rejects.toThrow(`${title} refuses its own driver (401)`);
    writeFileSync(path.join(folder, 'password'), login.password);
    await server.close();
    await expect(driver.ask('ping', {})).rejects.toThrow(`${title} does not answer`);
  });

  it('never leaves its own directory, whatever it is asked for', async () => {
    for (const bad of ['../x', 'a/b', '.stash', 'UP', 'x', 'a.job-0001', 'shop\n']) {
      for (const verb of ['read', 'make', 'apply', 'remove', 'stash', 'unstash', 'purge'])
        await expect(driver.ask(verb, { resource: 'job', project: { ...factsOf('shop'), name: bad }, job })).rejects.toThrow(
          "is no project's name",
        );
      await expect(driver.ask('event', { type: 'commit', project: { ...factsOf('shop'), name: bad } })).rejects.toThrow();
    }
    expectAlike([]);
  });

  it(`is killed at any moment, ${kills} times, and loses no build`, async () => {
    counted({ kills });
    await ask('make');
    await commit();
    const log = server.log('shop', 1);
    for (let round = 0; round < kills; round += 1) {
      for (const verb of ['stash', 'unstash']) {
        const asked = ask(verb).catch(() => undefined);
        await sleep(random() * 60);
        await driver.killAndRestart();
        await asked;
        await ask(verb);
        expectAlike(verb === 'stash' ? [] : ['shop']);
      }
      expect([round, server.log('shop', 1)]).toEqual([round, log]);
    }
    await ask('remove');
    for (let round = 0; round < kills; round += 1) {
      const by = `job-kill-${round}`;
      const asked = ask('make', {}, by).catch(() => undefined);
      await sleep(random() * 40);
      await driver.killAndRestart();
      await asked;
      await ask('remove', {}, by);
      expect(await ask('read', {}, by)).toEqual({ present: false });
      expectAlike([]);
    }
  });
});
