import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { archivaRest, hudsonCall } from './support/apps.ts';
import { type Devserver, devserverIn, findingsAbout, remainsInside, until } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';

/** Each backend fails in turn while a project is made: whole or absent, said clearly, and nothing in the way afterwards. */
const appliance = inject('appliance');
let session: Session;
let devserver: Devserver;

beforeAll(() => {
  session = openSession(appliance.dir);
  devserver = devserverIn(session);
});
afterAll(async () => {
  await session.close();
});

const systemctl = (...args: string[]): Promise<unknown> => session.run(['systemctl', ...args]);

/** Puts a program of ours in the place of a Java application: it answers everything as `answer` says, or never. */
async function impersonate(instance: 'hudson' | 'archiva', port: number, answer: string): Promise<void> {
  await systemctl('stop', `devserver-tomcat@${instance}.service`);
  const program = `require('node:http').createServer((request, response) => { ${answer} }).listen(${port}, '127.0.0.1')`;
  await systemctl('reset-failed', 'impostor.service').catch(() => {});
  await session.run(['systemd-run', '--quiet', '--unit', 'impostor', '/usr/bin/node', '--eval', program]);
  await until(
    'the impostor listens',
    async () => (await session.fetch({ url: `http://127.0.0.1:${port}/x` })).status !== 0 || answer === '',
    10,
  );
}

/** The application itself again, and everything ready. */
async function restore(instance: 'hudson' | 'archiva'): Promise<void> {
  await session.tryRun(['systemctl', 'stop', 'impostor.service']);
  await systemctl('start', `devserver-tomcat@${instance}.service`);
  await untilReady();
}

/** Also what the status does not know yet: both applications refuse everybody for a moment after the directory was away. */
async function untilReady(): Promise<void> {
  const answers = async (component: string): Promise<boolean> => {
    const asked = session.driver(component, 'ping', null);
    return asked.then(() => true).catch(() => false);
  };
  for (const name of ['ldap', 'hudson']) await until(`${name} takes its driver`, () => answers(name), 600);
  const managed = 'archivaServices/managedRepositoriesService/getManagedRepositories';
  await until('archiva takes its driver', async () => (await archivaRest(session, 'GET', managed)).status === 200, 600);
  await until('everything is ready', async () => (await session.tryRun(['devserver', 'status', '--json'])).exitCode === 0, 600);
}

/** What can't be taken back while its backend is away is taken back when it is there again, by itself or when asked. */
async function untilAbsent(name: string): Promise<void> {
  await until(
    `nothing is left of ${name}`,
    async () => {
      await session.tryRun(['devserver', 'job', 'resume']);
      return (await remainsInside(session, name)).length === 0;
    },
    300,
  );
  const { body } = await hudsonCall(session, 'GET', 'api/json?tree=jobs%5Bname%5D');
  expect(body).not.toContain(name);
  const managed = await archivaRest(session, 'GET', 'archivaServices/managedRepositoriesService/getManagedRepositories');
  expect(managed.body).not.toContain(name);
}

/** The same name, whole, with nothing in its way. */
async function wholeNow(name: string): Promise<void> {
  await devserver.must('newproject', name);
  expect(await findingsAbout(devserver, name)).toEqual([]);
  await devserver.must('project', 'delete', name, '--yes');
}

describe('newproject', { timeout: 1_500_000 }, () => {
  it('is undone, or finished undoing later, when Hudson answers 500', async () => {
    try {
      await impersonate('hudson', 8082, "response.writeHead(500); response.end('Oops')");
      const { exitCode, answer } = await devserver.ask('newproject', 'fb-hudson');
      expect([5, 6]).toContain(exitCode);
      expect(answer.error?.message).toContain('Hudson answered 500');
    } finally {
      await restore('hudson');
    }
    await untilAbsent('fb-hudson');
    await wholeNow('fb-hudson');
  });

  it('is undone, or finished undoing later, when Archiva never answers; others work meanwhile', async () => {
    try {
      await impersonate('archiva', 8081, '');
      const hanging = devserver.ask('newproject', 'fb-archiva');
      const begun = performance.now();
      await devserver.must('newproject', 'fb-beside', '--no-maven');
      expect((performance.now() - begun) / 1000, 'a project without Maven waited for Archiva').toBeLessThan(40);
      const { exitCode, answer } = await hanging;
      expect([5, 6]).toContain(exitCode);
      expect(answer.error?.message).toContain('Archiva');
    } finally {
      await restore('archiva');
    }
    await untilAbsent('fb-archiva');
    await wholeNow('fb-archiva');
    await devserver.must('project', 'delete', 'fb-beside', '--yes');
  });

  it('is refused or undone when the directory is gone', async () => {
    try {
      await systemctl('stop', 'devserver-ldap.service');
      const { exitCode, answer } = await devserver.ask('newproject', 'fb-ldap');
      expect([5, 6]).toContain(exitCode);
      expect(answer.error?.message).toMatch(/director|ldap/i);
    } finally {
      await systemctl('start', 'devserver-ldap.service');
      await untilReady();
    }
    await untilAbsent('fb-ldap');
    await wholeNow('fb-ldap');
  });

  it('is undone when the data disk is full, and the appliance stays of use', async () => {
    const filler = '/srv/fb-filler';
    try {
      const free = Number((await session.run(['df', '--output=avail', '-B1', '/srv'])).trim().split('\n').at(-1));
      // btrfs keeps some for itself; what is left over is too little for a project
      await session.tryRun(['fallocate', '-l', String(free), filler]);
      await session.tryRun([
        'sh',
        '-c',
        'i=0; while head -c 65536 /dev/urandom > /srv/fb-filler.$i 2>/dev/null && [ $i -lt 20000 ]; do i=$((i+1)); done',
      ]);
      const { exitCode, answer } = await devserver.ask('newproject', 'fb-full');
      expect([4, 5, 6], JSON.stringify(answer)).toContain(exitCode);
      expect(`${answer.error?.message}`).toMatch(/space|full|ENOSPC/i);
      expect((await devserver.ask('project', 'list')).exitCode).toBe(0);
    } finally {
      await session.run(['sh', '-c', `rm -f ${filler} ${filler}.*`]);
    }
    await untilAbsent('fb-full');
    await wholeNow('fb-full');
  });

  it('is refused when the data disk is read-only, and nothing is half', async () => {
    try {
      await session.run(['btrfs', 'property', 'set', '-ts', '/srv', 'ro', 'true']);
      const { exitCode, answer } = await devserver.ask('newproject', 'fb-ro');
      expect([4, 5, 6], JSON.stringify(answer)).toContain(exitCode);
      expect(`${answer.error?.message} ${answer.error?.hint}`).toMatch(/read-only|EROFS/i);
    } finally {
      await session.run(['btrfs', 'property', 'set', '-ts', '/srv', 'ro', 'false']);
    }
    await untilReady();
    await untilAbsent('fb-ro');
    await wholeNow('fb-ro');
  });
});
