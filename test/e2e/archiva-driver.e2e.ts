import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { randomFrom } from '../support/random.ts';
import { archivaDeploy, archivaRest, setRole } from './support/apps.ts';
import { Clients } from './support/clients.ts';
import { devserverIn } from './support/devserver.ts';
import { holders, inArchiva, subjects, twice, untilAnswers } from './support/java.ts';
import { passwordOf } from './support/projects.ts';
import { ask, askAndKill, undo } from './support/resources.ts';
import { openSession, type Session } from './support/session.ts';

/** Archiva's driver, asked as the daemon asks it: whole or absent, on the disk and in Archiva's own list. */
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

describe('a repository of Archiva', () => {
  it('is made, served, stashed, brought back and removed; each verb twice', async () => {
    const { content, repository } = subjects({ members: { admin: 'admin', 'no-such-person': 'reader' } });
    const { name } = content.project;
    await expect(ask(session, 'apply', repository)).rejects.toThrow(/missing/);
    await twice(session, 'make', content);
    await twice(session, 'apply', content);
    await twice(session, 'apply', repository);
    expect(await ask(session, 'read', content)).toEqual({ present: true, job: content.job });
    expect(await ask(session, 'read', repository)).toEqual({ present: true });
    expect(await inArchiva(session, name)).toEqual({ listed: [name], disk: [name] });
    expect(await holders(session, name)).toEqual(['admin']);
    await session.run(['sh', '-c', `echo kept > /srv/maven/repositories/${name}/kept.txt`]);

    await twice(session, 'remove', repository);
    expect(await holders(session, name), 'roles would come back with the next project of this name').toEqual([]);
    await twice(session, 'stash', content);
    expect(await inArchiva(session, name)).toEqual({ listed: [], disk: [] });
    await expect(ask(session, 'apply', repository)).rejects.toThrow(/missing/);
    await twice(session, 'unstash', content);
    await ask(session, 'apply', { ...repository, project: { ...repository.project, members: {} } });
    expect(await holders(session, name)).toEqual([]);
    const { status, body } = await clients.curl({ path: `/archiva/repository/${name}/kept.txt`, as: 'admin' });
    expect([status, body]).toEqual([200, 'kept\n']);

    await ask(session, 'remove', repository);
    await expect(ask(session, 'remove', { ...content, job: 'another-job' })).rejects.toThrow(/not made by this job/);
    await twice(session, 'remove', content);
    await twice(session, 'purge', content);
    expect(await inArchiva(session, name)).toEqual({ listed: [], disk: [] });
  });
});

describe('who sees a repository', () => {
  const list = (name: string): string => `/srv/maven/archiva/holders/${name}.json`;

  it('is taken from those too who may not log in for now, also by the next project of the name', async () => {
    const { must } = devserverIn(session);
    const person = `off${Date.now().toString(36)}`;
    const { content, repository } = subjects({ members: { [person]: 'reader' } });
    const { name } = content.project;
    const nobody = { ...repository, project: { ...repository.project, members: {} } };
    await session.run(['devserver', 'user', 'add', person, '--password-file', '-'], `${passwordOf(person)}\n`);
    await ask(session, 'make', content);
    for (const last of ['apply', 'remove'] as const) {
      await ask(session, 'apply', repository);
      expect(await holders(session, name)).toEqual([person]);
      await must('user', 'disable', person);
      await ask(session, last, nobody);
      if (last === 'remove') await ask(session, 'apply', nobody);
      await must('user', 'enable', person);
      expect(await holders(session, name), `after ${last}`).toEqual([]);
    }
    await undo(session, repository, 0);
    await undo(session, content, 0);
    await must('user', 'remove', person);
  });

  it('is told when somebody else changed it, and set right, with a list of the driver or without', async () => {
    const { content, repository } = subjects({ members: { dev: 'developer' } });
    const { name } = content.project;
    const differs = async (): Promise<unknown> => {
      // a doctor begins with the list of all
      await session.driver('archiva', 'list', { resource: 'repository' });
      return ((await ask(session, 'read', repository)) as { differs?: string }).differs;
    };
    await ask(session, 'make', content);
    await ask(session, 'apply', repository);
    for (const [role, people, told] of [
      ['Observer', ['dev', 'out'], 'out can see it in Archiva'],
      ['Observer', [], 'dev can not see it in Archiva'],
      ['Manager', ['dev', 'out'], 'dev, out can change it in Archiva past the front'],
    ] as const)
      for (const isLost of [false, true]) {
        expect(await differs()).toBeUndefined();
        await setRole(session, `Repository ${role} - ${name}`, people);
        if (isLost) await session.run(['rm', list(name)]);
        else expect(await differs()).toBe(told);
        await ask(session, 'apply', repository);
        expect([await differs(), await holders(session, name)], `${told}, ${isLost}`).toEqual([undefined, ['dev']]);
        expect(JSON.parse(await session.run(['cat', list(name)]))).toEqual(['dev']);
      }
    await undo(session, repository, 0);
    await undo(session, content, 0);
    expect(await session.tryRun(['test', '-e', list(name)])).toMatchObject({ exitCode: 1 });
  });
});

describe('its account in Archiva', () => {
  it('gives roles and repositories, and neither reads nor writes what people keep there, nor makes people', async () => {
    const { content, repository } = subjects();
    const { name } = content.project;
    await ask(session, 'make', content);
    await ask(session, 'apply', repository);
    await archivaDeploy(session, name, 'org/test/own/1/own-1.txt', 'own');
    const login = `archiva-driver:${await session.run(['cat', '/srv/system/secrets/archiva/service'])}`;
    const headers = { Authorization: `Basic ${Buffer.from(login).toString('base64')}` };
    const url = `http://127.0.0.1:8081/archiva/repository/${name}/org/test/own/1/own-1.txt`;
    expect((await session.fetch({ url, headers })).status).toBe(401);
    expect((await session.fetch({ url: `${url}.more`, method: 'PUT', headers, body: 'more' })).status).toBe(401);
    const stranger = {
      username: 'stranger',
      password: 'Stranger-1',
      confirmPassword: 'Stranger-1',
      fullName: 's',
      email: 's@localhost',
    };
    expect((await archivaRest(session, 'POST', 'redbackServices/userService/createUser', stranger)).status).toBe(403);
    await undo(session, repository, 0);
    await undo(session, content, 0);
  });
});

describe('killed anywhere', () => {
  it('a driver leaves a repository that can be taken back or finished', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { content, repository } = subjects({ members: { admin: 'admin' } });
      const { name } = content.project;
      await askAndKill(session, 'make', content, random() * 20);
      await ask(session, 'make', content);
      await askAndKill(session, 'apply', repository, random() * 800);
      if (round % 2 === 0) {
        await ask(session, 'apply', repository);
        expect(await inArchiva(session, name), `round ${round}`).toEqual({ listed: [name], disk: [name] });
        await askAndKill(session, 'remove', repository, random() * 600);
      }
      await undo(session, repository, 5);
      await undo(session, content, 0);
      expect(await inArchiva(session, name), `round ${round}`).toEqual({ listed: [], disk: [] });
      expect(await holders(session, name), `round ${round}`).toEqual([]);
    }
  });
});
