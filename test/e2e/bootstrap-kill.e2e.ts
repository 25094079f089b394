import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { randomFrom } from '../support/random.ts';
import { archivaRest, layOutApps } from './support/apps.ts';
import { Clients } from './support/clients.ts';
import { projects } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';

const appliance = inject('appliance');
const full = process.env.DEVSERVER_TEST_SIZE === 'full';
const random = randomFrom(`bootstrap-kill ${process.env.DEVSERVER_SEED ?? ''}`);
const clients = new Clients(appliance);
let session: Session;

/** Shares of the time a bootstrap takes from its driver's birth on; 0 kills the driver as soon as it is there. */
const moments = [0, 0.2, 0.4, 0.6, 0.8, 0.95] as const;
const chosen = full ? moments : [pick(moments)];

beforeAll(() => {
  session = openSession(appliance.dir);
});

afterAll(async () => {
  // Archiva forgot who may what; whoever comes next finds it as it was
  await layOutApps(session, projects);
  clients.remove();
  await session.close();
});

describe('the bootstrap of a virgin Archiva', { timeout: 1_500_000 }, () => {
  /** Milliseconds a whole bootstrap took here, from the first one that was left alone. */
  let whole = 700;

  afterEach(async () => {
    await expectWhole();
  }, 1_500_000);

  it.each(chosen)('comes to the same end when its driver is killed at %f of its time', async (share) => {
    // a kill after the end would prove nothing: then once more, and earlier
    for (let part: number = share, tries = 1; ; part *= 0.6, tries += 1) {
      await makeVirgin();
      const { killed, finishedBefore, nextTook } = await killDriverAfter(part * whole);
      expect(killed).toBe(true);
      if (share === 0) whole = nextTook;
      if (!finishedBefore) break;
      expect(tries, 'every bootstrap was over before the kill').toBeLessThan(4);
    }
  });

  it('comes to the same end when Tomcat is killed in the middle of its first start', async () => {
    await makeVirgin({ start: false });
    await session.run(['systemctl', 'start', '--no-block', tomcat]);
    const begun = await mainPid(tomcat, 60);
    await sleep(1000 + random() * 3500);
    await session.run(['kill', '-KILL', String(begun)]);
    expect(
      await session.run(['journalctl', '--quiet', '--output=cat', `_PID=${begun}`]),
      'the first start was over before the kill',
    ).not.toContain('Server startup');
    await session.run(['systemctl', 'start', 'devserverd.service']);
  });

  it('asks for another first start when the one before left an administrator without a role', async () => {
    const { body } = await archivaRest(session, 'POST', 'redbackServices/roleManagementService/updateUserRoles', {
      username: 'archiva.root',
      assignedRoles: [],
    });
    expect(body).toBe('true');
    const before = await mainPid(tomcat, 30);
    await session.run(['rm', '--', `${state}/bootstrapped`]);
    await session.run(['systemctl', 'reset-failed']);
    await session.run(['systemctl', 'restart', 'devserverd.service']);
    await untilReady(600);
    expect(await mainPid(tomcat, 30), 'Tomcat was not started again').not.toBe(before);
  });
});

describe('a service that is killed', { timeout: 1_500_000 }, () => {
  beforeEach(async () => {
    await session.tryRun(['systemctl', 'reset-failed']);
    await untilReady(600);
  });

  it.each(['devserver-ldap.service', 'devserverd.service', 'apache2.service', 'devserver-tomcat@hudson.service'])(
    '%s comes back, and all is ready again',
    async (unit) => {
      const before = await mainPid(unit, 30);
      await session.run(['systemctl', 'kill', '--kill-whom=main', '--signal=KILL', unit]);
      const after = await otherPid(unit, before, 180);
      expect(after).not.toBe(before);
      await untilReady(600);
      expect(await clients.status({ path: '/', as: 'dev' })).toBe(200);
    },
  );

  it('the driver of the directory comes back with the next question', async () => {
    const question = { kind: 'user', name: 'dev' };
    const before = await session.driver('ldap', 'read', question);
    const old = await mainPid('devserver-driver-ldap.service', 30);
    await session.run(['kill', '-KILL', String(old)]);
    expect(await session.driver('ldap', 'read', question)).toEqual(before);
    expect(await mainPid('devserver-driver-ldap.service', 30)).not.toBe(old);
    await untilReady(180);
  });

  it('nothing that was killed stays in the list of failed units', async () => {
    expect((await session.run(['systemctl', 'list-units', '--state=failed', '--plain', '--no-legend'])).trim()).toBe('');
  });
});

const tomcat = 'devserver-tomcat@archiva.service';
const state = '/srv/maven/archiva';

/** Archiva as it was before its first start, devserverd off; with `start` up and waiting to be bootstrapped. */
async function makeVirgin({ start = true } = {}): Promise<void> {
  await session.run([
    'systemctl',
    'stop',
    'devserverd.service',
    'devserverd-front.socket',
    'devserverd-control.socket',
    'devserver-driver-archiva.service',
    tomcat,
  ]);
  await session.run(['rm', '-rf', '--', `${state}/db`, `${state}/data`, `${state}/bootstrapped`, `${state}/start-again`]);
  // systemd counts starts, and this test starts more often than an appliance does
  await session.tryRun(['systemctl', 'reset-failed']);
  await session.run(['systemctl', 'start', 'devserverd-front.socket', 'devserverd-control.socket']);
  if (!start) return;
  await session.run(['systemctl', 'start', tomcat]);
  for (const begun = Date.now(); (await ping()) !== 200; await sleep(300))
    if (Date.now() - begun > 600_000) throw new Error('Archiva does not start');
}

/** What became of one killed bootstrap. */
interface Kill {
  readonly killed: boolean;
  /** Whether the bootstrap had already said that it was done. */
  readonly finishedBefore: boolean;
  /** Milliseconds the next driver took from its birth to the end. */
  readonly nextTook: number;
}

/** Lets devserverd bootstrap, kills the driver so long after it was born, and watches the next one to its end. */
async function killDriverAfter(milliseconds: number): Promise<Kill> {
  const program = `
    import { execFileSync, spawnSync } from 'node:child_process';
    import { existsSync, readFileSync } from 'node:fs';
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const file = '/sys/fs/cgroup/system.slice/devserver-driver-archiva.service/cgroup.procs';
    const pid = () => { try { return Number(readFileSync(file, 'utf8').split('\\n')[0]); } catch { return 0; } };
    const born = async (not) => { for (let n = 0; n < 200000; n += 1) { const it = pid(); if (it > 0 && it !== not) return it; await sleep(3); } throw new Error('no driver'); };
    spawnSync('systemctl', ['start', '--no-block', 'devserverd.service']);
    const first = await born(0);
    await sleep(${milliseconds});
    const finishedBefore = existsSync('${state}/bootstrapped');
    let killed = true;
    try { process.kill(first, 'SIGKILL'); } catch { killed = false; }
    let nextTook = 0;
    if (!finishedBefore) {
      await born(first);
      const begun = Date.now();
      while (!existsSync('${state}/bootstrapped') && Date.now() - begun < 120000) await sleep(3);
      nextTook = Date.now() - begun;
    }
    console.log(JSON.stringify({ killed, finishedBefore, nextTook }));
  `;
  return JSON.parse(await session.run(['node', '--input-type=module', '--eval', program])) as Kill;
}

/** Ready again, createAdminUser shut, nobody in without a login, and the administrator in charge. */
async function expectWhole(): Promise<void> {
  await untilReady(600);
  const intruder = {
    username: 'admin',
    password: 'Intruder-123',
    confirmPassword: 'Intruder-123',
    fullName: 'Intruder',
    email: 'x@example.org',
  };
  const made = await archivaRest(session, 'POST', 'redbackServices/userService/createAdminUser', intruder, null);
  expect(made.body).not.toContain('true');
  expect((await archivaRest(session, 'GET', 'redbackServices/userService/isAdminUserExists', undefined, null)).body).toBe('true');
  for (const login of [null, 'admin:Intruder-123', 'archiva.root:Intruder-123']) {
    expect(
      (await archivaRest(session, 'GET', 'redbackServices/userService/getUsers', undefined, login)).status,
    ).toBeGreaterThanOrEqual(401);
  }
  const asAdmin = await archivaRest(
    session,
    'GET',
    'redbackServices/userService/getUsers',
    undefined,
    `admin:${appliance.adminPassword}`,
  );
  expect(asAdmin.status).toBe(200);
  expect(await rolesOf('guest')).toEqual([]);
  expect(await rolesOf('admin')).toContain('System Administrator');
  expect((await session.tryRun(['test', '-e', `${state}/bootstrapped`])).exitCode).toBe(0);
  expect((await session.tryRun(['test', '-e', `${state}/start-again`])).exitCode).not.toBe(0);
}

async function rolesOf(user: string): Promise<string[]> {
  const { body } = await archivaRest(session, 'GET', `redbackServices/roleManagementService/getEffectivelyAssignedRoles/${user}`);
  return (JSON.parse(body) as { name: string }[]).map(({ name }) => name);
}

/** Archiva's own answer whether it is up; 0 while nobody listens. */
async function ping(): Promise<number> {
  return (await session.fetch({ url: 'http://127.0.0.1:8081/archiva/restServices/archivaServices/pingService/ping' })).status;
}

/** Every bootstrap done and every check passed, as the appliance itself says. */
async function untilReady(seconds: number): Promise<void> {
  const begun = Date.now();
  let said = '';
  while (Date.now() - begun < seconds * 1000) {
    const { exitCode, stdout, stderr } = await session.tryRun(['devserver', 'status']);
    if (exitCode === 0) return;
    said = `${stdout}${stderr}`;
    await sleep(500);
  }
  throw new Error(`not ready after ${seconds} s:\n${said}`);
}

async function mainPid(unit: string, seconds: number): Promise<number> {
  return otherPid(unit, 0, seconds);
}

/** The unit's main process once it is not `old` any more. */
async function otherPid(unit: string, old: number, seconds: number): Promise<number> {
  for (const begun = Date.now(); Date.now() - begun < seconds * 1000; await sleep(200)) {
    const pid = Number(await session.run(['systemctl', 'show', '--value', '--property=MainPID', unit]));
    if (pid > 0 && pid !== old) return pid;
  }
  throw new Error(`${unit} has no new main process after ${seconds} s`);
}

function pick<T>(items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}
