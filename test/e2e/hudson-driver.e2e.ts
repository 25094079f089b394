import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ProjectFacts } from '../../src/kernel/project.ts';
import { randomFrom } from '../support/random.ts';
import { hudsonCall } from './support/apps.ts';
import { Clients } from './support/clients.ts';
import { build, inHudson, logOf, subjects, twice, untilAnswers } from './support/java.ts';
import { ask, askAndKill, undo } from './support/resources.ts';
import { openSession, type Session } from './support/session.ts';
import { plain } from './support/tracker.ts';

/** Hudson's driver, asked as the daemon asks it: a job is whole or absent, on the disk and in Hudson's own list. */
const appliance = inject('appliance');
const seed = process.env.DEVSERVER_SEED ?? String(Date.now());
const random = randomFrom(seed);
const clients = new Clients(appliance);
let session: Session;

beforeAll(async () => {
  console.log(`seed ${seed}`);
  session = openSession(appliance.dir);
  await untilAnswers(session);
});
afterAll(async () => {
  clients.remove();
  await session.close();
});

describe('a job of Hudson', () => {
  it('is made, configured, stashed with its builds, brought back and removed; each verb twice', async () => {
    const { job } = subjects();
    const { name } = job.project;
    expect(await ask(session, 'read', job)).toEqual({ present: false });
    await twice(session, 'make', job);
    expect(await ask(session, 'read', job)).toEqual({ present: true, job: job.job });
    expect(await inHudson(session, name)).toEqual({ listed: [name], disk: [name] });
    await expect(ask(session, 'make', { ...job, job: 'another-job' })).rejects.toThrow(/already something/);
    await expect(ask(session, 'remove', { ...job, job: 'another-job' })).rejects.toThrow(/not made by this job/);

    await twice(session, 'apply', job);
    const log = await build(session, job);
    await twice(session, 'stash', job);
    expect(await ask(session, 'read', job)).toEqual({ present: false });
    expect(await inHudson(session, name)).toEqual({ listed: [], disk: [] });
    await expect(ask(session, 'apply', job)).rejects.toThrow(/missing/);
    // what a stash leaves that was cut short after the job got its other name
    await hudsonCall(session, 'POST', `createItem?name=${name}.${job.job}`, '<project/>');
    expect((await inHudson(session, name)).listed).toEqual([`${name}.${job.job}`]);
    await twice(session, 'unstash', job);
    expect(await inHudson(session, name)).toEqual({ listed: [name], disk: [name] });
    expect(await logOf(session, name, 1), 'the first build with its log').toBe(log);
    expect(await session.run(['ls', '-A', stash])).toBe('');

    await twice(session, 'stash', job);
    await twice(session, 'purge', job);
    await expect(ask(session, 'unstash', job)).rejects.toThrow(/missing/);
    const second = subjects().job;
    await ask(session, 'make', second);
    await twice(session, 'remove', second);
    expect(await inHudson(session, second.project.name)).toEqual({ listed: [], disk: [] });
  });

  it('shows any title as it is, and no markup of it', async () => {
    const title = 'Ünïcødé 日本語 😀 <b>&amp;</b> "\' </strong><script>alert(1)</script> {{x}} ${y} ]]>';
    const { job } = subjects({
      title,
      description: 'one\ntwo <i>',
      visibility: 'internal',
      links: { tracker: { url: 'https://x/t' } },
    });
    const { name } = job.project;
    await ask(session, 'make', job);
    await ask(session, 'apply', job);
    const { body } = await clients.curl({ path: `/hudson/job/${name}/`, as: 'admin' });
    const shown = plain(/<strong>((?:(?!<\/strong>)[\s\S])*)/.exec(body.slice(body.indexOf('&#220;') - 20))?.[1] ?? '');
    expect(shown === '' ? plain(body) : shown).toContain(title);
    expect(body).not.toContain('<script>alert(1)');
    expect(body).toContain('https://x/t');
    expect(await session.run(['grep', '-cP', '[^\\x00-\\x7f]', configOf(name)]).catch(() => '0')).toBe('0');
    await ask(session, 'remove', job);
  });

  it('lets members do what their role says, and nobody build once it is archived', async () => {
    const { job } = subjects();
    const granted = async (changes: Partial<ProjectFacts>): Promise<string> => {
      const subject = { ...job, project: { ...job.project, ...changes } };
      await ask(session, 'apply', subject);
      return (await hudsonCall(session, 'GET', `job/${job.project.name}/config.xml`)).body;
    };
    await ask(session, 'make', job);
    expect(await granted({})).not.toContain('Read:authenticated');
    expect(await granted({ visibility: 'internal' })).toContain('Item.Read:authenticated');
    const archived = await granted({ archived: true });
    expect(archived).not.toContain('Item.Build');
    expect(archived).toContain('<disabled>true</disabled>');
    await ask(session, 'event', { ...job, project: { ...job.project, archived: true } });
    expect(await granted({})).toContain(`Item.Build:ROLE_${job.project.name.toUpperCase()}.DEVELOPERS`);
    await ask(session, 'remove', job);
  });
});

describe('killed anywhere', () => {
  it('a driver leaves a job that can be taken back or finished', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { job } = subjects();
      const { name } = job.project;
      await askAndKill(session, 'make', job, random() * 150);
      if (round % 2 === 0) {
        await ask(session, 'make', job);
        expect(await inHudson(session, name), `round ${round}`).toEqual({ listed: [name], disk: [name] });
        await askAndKill(session, 'remove', job, random() * 400);
      }
      await undo(session, job, 3);
      expect(await inHudson(session, name), `round ${round}`).toEqual({ listed: [], disk: [] });
    }
  });

  it('a driver never loses the builds of a job it moves', async () => {
    const { job } = subjects();
    const { name } = job.project;
    await ask(session, 'make', job);
    const log = await build(session, job);
    for (let round = 0; round < 6; round += 1) {
      await askAndKill(session, 'stash', job, random() * 500);
      if (round % 3 !== 2) {
        await ask(session, 'stash', job);
        expect(await inHudson(session, name), `round ${round}`).toEqual({ listed: [], disk: [] });
      }
      await askAndKill(session, 'unstash', job, random() * 250);
      if (round % 3 === 1) await ask(session, 'stash', job);
      await ask(session, 'unstash', job);
      expect(await inHudson(session, name), `round ${round}`).toEqual({ listed: [name], disk: [name] });
      expect(await logOf(session, name, 1), `round ${round}`).toBe(log);
    }
    await ask(session, 'remove', job);
  });
});

const stash = '/srv/ci/hudson/jobs/.stash';
const configOf = (name: string): string => `/srv/ci/hudson/jobs/${name}/config.xml`;
