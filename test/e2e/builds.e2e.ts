import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { layOutRepository, setRole } from './support/apps.ts';
import {
  asAccount,
  beginBuild,
  build,
  commit,
  leftoversSoon,
  makeBuildable,
  publishFacts,
  requestBuild,
} from './support/builds.ts';
import { Clients } from './support/clients.ts';
import { until } from './support/devserver.ts';
import { attempts, connectProgram, controls, hostileFiles } from './support/hostile.ts';
import { layOutProject } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);
const log = '/tmp/build-log';
let session: Session;

/** What the other tests have no part in: one project to build, another to be built beside it. */
const yard = { name: 'yard', internal: false, archived: false, members: { dev: 'developer' } } as const;
const farm = { name: 'farm', internal: false, archived: false, members: {} } as const;

beforeAll(async () => {
  session = openSession(appliance.dir);
  for (const project of [yard, farm]) {
    if ((await session.tryRun(['test', '-e', `/srv/trac/${project.name}/VERSION`])).exitCode !== 0)
      await layOutProject(appliance.dir, project);
    await makeBuildable(session, project.name, { vcs: 'git', build: [['sh', 'ci.sh']] });
  }
  await session.run(['sh', '-c', 'rm -f /srv/spool/builds/*']);
});

afterAll(async () => {
  clients.remove();
  await session.close();
});

/** What Maven does when it deploys, with the login of the build's home. */
const putProgram = `import { readFileSync } from 'node:fs';
const [, login] = /\\/\\/(.*)@/.exec(readFileSync(process.env.HOME + '/.git-credentials', 'utf8'));
const headers = { authorization: 'Basic ' + Buffer.from(login).toString('base64') };
const url = process.env.MAVEN_REPOSITORY.replace('yard', process.argv[2]) + '/org/x/b/1.' + Date.now() + '/b-1.jar';
for (const method of ['PUT', 'GET']) {
  const { status } = await fetch(url, { method, headers, ...(method === 'PUT' ? { body: 'b' } : {}) });
  console.log(process.argv[2], method, status);
}
`;

const ci = (text: string): Promise<void> => commit(session, 'yard', { 'ci.sh': text });

const logHolds = async (text: string): Promise<boolean> => (await session.tryRun(['cat', log])).stdout.includes(text);
const hasEnded = async (): Promise<boolean> => (await session.tryRun(['test', '-s', `${log}.code`])).exitCode === 0;

describe('a build', () => {
  it.each(['git', 'hg', 'svn'] as const)('checks out from %s, runs the commands there and knows what it needs', async (vcs) => {
    await commit(session, 'yard', { 'ci.sh': 'pwd; env | sort; id -un; ls; cat ~/.m2/settings.xml >&2\n' }, [vcs]);
    await publishFacts(session, 'yard', {
      vcs,
      build: [
        ['sh', 'ci.sh'],
        ['echo', 'and', 'more'],
      ],
    });
    const { stdout, exitCode } = await build(session, 'yard');
    await publishFacts(session, 'yard', { vcs: 'git', build: [['sh', 'ci.sh']] });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('/build/work\n')]);
    for (const line of [
      'CI=true',
      'PROJECT=yard',
      'BUILD_NUMBER=12',
      'HOME=/build/home',
      'build-1',
      'ci.sh',
      'and more',
      '<id>devserver</id>',
    ])
      expect(stdout).toContain(`${line}`);
    expect(stdout).toContain('MAVEN_REPOSITORY=https://devserver/archiva/repository/yard');
  });

  it('ends as its command does, and says so to the daemon', async () => {
    await ci('exit 7\n');
    // it would take the hint before it is looked at
    await session.run(['systemctl', 'kill', '--signal=STOP', 'devserverd.service']);
    await session.run(['sh', '-c', 'rm -f /srv/spool/builds/*']);
    expect((await build(session, 'yard')).exitCode).toBe(7);
    const hint = await session.run(['sh', '-c', 'cat /srv/spool/builds/*']);
    await session.run(['systemctl', 'kill', '--signal=CONT', 'devserverd.service']);
    expect(hint).toMatch(/^project yard\nuser \nchange 12 failure https:\/\/127\.0\.0\.1\/job\/1 [0-9]+\n$/);
  });

  it('succeeds where the template builds nothing, and is refused where there is no such project', async () => {
    await publishFacts(session, 'farm', { vcs: 'git', build: null });
    expect(await build(session, 'farm')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('builds nothing') });
    expect(await build(session, 'nosuch')).toMatchObject({ exitCode: 125, stdout: expect.stringContaining('no such project') });
    for (const name of ['../yard', 'yard x', 'Yard', '-', 'a'.repeat(2000)])
      expect([name, (await build(session, name)).exitCode]).toEqual([name, 125]);
  });

  it('is only for the accounts of CI servers', async () => {
    for (const account of ['www-data', 'trac', 'build-2', 'git'])
      expect((await session.tryRun([...asAccount(account), requestBuild, 'yard'])).stderr).toContain('Permission denied');
  });

  it('shows its log as it comes', async () => {
    // long enough for a look in between
    await ci('echo one; sleep 10; echo two\n');
    await beginBuild(session, 'yard', log);
    await until('first line', () => logHolds('one\n'));
    expect(await logHolds('two\n')).toBe(false);
    await until('end', hasEnded);
    expect(await logHolds('two\n')).toBe(true);
  });

  it('says nothing of its password, neither in the log nor in an argument', async () => {
    await ci('cat /proc/[0-9]*/cmdline | tr "\\0" " "; git config --list; git remote -v\n');
    const { stdout } = await build(session, 'yard');
    expect(stdout).toContain('origin');
    expect(stdout).not.toContain('Builder0f');
  });

  it("deploys into its project's Maven repository, and into no other", async () => {
    await layOutRepository(session, yard);
    await setRole(session, 'Repository Manager - yard', ['dev', 'yard.builder']);
    await commit(session, 'yard', { 'ci.sh': 'node put.mjs yard; node put.mjs shop\n', 'put.mjs': putProgram });
    const { stdout } = await build(session, 'yard');
    expect(stdout).toContain('yard PUT 201\nyard GET 200\nshop PUT 403\nshop GET 403\n');
  });

  it('can not end early by what it prints', async () => {
    await ci("printf 'e\\0\\0\\0\\0010'; exit 9\n");
    expect((await build(session, 'yard')).exitCode).toBe(9);
  });

  it('waits while the same project is built, and runs beside another', async () => {
    await ci('date +%s%N; sleep 2; date +%s%N\n');
    await commit(session, 'farm', { 'ci.sh': 'sleep 1; echo farm\n' });
    await publishFacts(session, 'farm', { vcs: 'git', build: [['sh', 'ci.sh']] });
    const [first, second, farmed] = await Promise.all([build(session, 'yard'), build(session, 'yard'), build(session, 'farm')]);
    expect([first.exitCode, second.exitCode, farmed.exitCode]).toEqual([0, 0, 0]);
    expect(`${first.stdout}${second.stdout}`).toContain('waiting: another build of yard comes first');
    const [a, b, c, d] = [first, second]
      .flatMap(({ stdout }) => stdout.match(/^[0-9]{15,}$/gm) ?? [])
      .map(Number)
      .sort((x, y) => x - y);
    // the later one began after the earlier one had slept
    expect([(b ?? 0) - (a ?? 0) > 1.9e9, (c ?? 0) > (b ?? 0), (d ?? 0) - (c ?? 0) > 1.9e9]).toEqual([true, true, true]);
  });
});

describe('what a build leaves behind', () => {
  const slow = 'setsid sleep 600 & sleep 600 & echo started; wait\n';

  it('is nothing after its end, though it left processes', async () => {
    await ci('setsid sleep 601 & ipcmk -M 4096; touch /tmp/x /dev/shm/x; echo done\n');
    expect((await build(session, 'yard')).exitCode).toBe(0);
    expect(await leftoversSoon(session)).toEqual([]);
  });

  it.each([
    ['request-build is ended', `kill -TERM $(cat ${log}.pid)`],
    ['request-build is killed', `kill -KILL $(cat ${log}.pid)`],
    ['the runner is killed', 'systemctl kill --signal=KILL devserver-builds.service'],
    ["the build's unit is killed", 'systemctl kill --signal=KILL devserver-build@1.service'],
    ["the build's first process is killed", 'pkill -KILL -o -u build-1'],
    ['the unit of its network is stopped', 'systemctl stop devserver-build-net@1.service'],
  ])('is nothing when %s', async (_name, act) => {
    await ci(slow);
    await beginBuild(session, 'yard', log);
    await until('start', () => logHolds('started\n'));
    await session.run(['sh', '-c', act]);
    await until('end', hasEnded);
    expect((await session.run(['cat', `${log}.code`])).trim()).not.toBe('0');
    expect(await leftoversSoon(session)).toEqual([]);
  });

  it('and the next build is as good as the first', async () => {
    await ci('echo fine\n');
    expect(await build(session, 'yard')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('fine\n') });
  });
});

describe('a hostile build', () => {
  const inUse = async (): Promise<number[]> =>
    (await session.run(['df', '--output=used', '-k', '/', '/srv'])).trim().split('\n').slice(1).map(Number);

  it('succeeds with none of its attempts', async () => {
    const outer = (
      await session.run(['sh', '-c', "ip -4 -o addr show scope global | awk '!/build-/ { print $4 }' | head -1"])
    ).trim();
    const gateway = (await session.run(['sh', '-c', "ip route show default | awk '{ print $3 }' | head -1"])).trim();
    await commit(session, 'yard', hostileFiles(outer.split('/')[0] ?? '', gateway));
    await publishFacts(session, 'yard', { vcs: 'git', build: [['sh', 'hostile.sh']] });
    const { stdout } = await build(session, 'yard');
    await publishFacts(session, 'yard', { vcs: 'git', build: [['sh', 'ci.sh']] });
    const codes = new Map([...stdout.matchAll(/^ATTEMPT ([0-9]+) ([0-9]+)$/gm)].map(([, n, code]) => [Number(n), Number(code)]));
    const allowed = [...stdout.matchAll(/^CONTROL ([0-9]+) 0$/gm)].map(([, n]) => controls[Number(n)]);
    expect(allowed, stdout).toEqual(controls);
    expect(codes.size, stdout).toBe(attempts.length);
    const succeeded = attempts.filter((_, index) => codes.get(index) === 0).map(({ what }) => what);
    expect(succeeded).toEqual([]);
  });

  it('would succeed as root, so each attempt is one', async () => {
    const script = `rm -rf /tmp/hostile; git clone -q -c safe.directory='*' /srv/git/yard.git /tmp/hostile; cd /tmp/hostile
      git -c safe.directory='*' rev-parse HEAD > /dev/null
      : >> /srv/system/devserverd/secrets/shop.builder
      for n in ${attempts.flatMap(({ asRoot }, index) => (asRoot ? [index] : [])).join(' ')}; do sh ./attempt-$n.sh > /dev/null 2>&1 || echo $n; done
      rm -rf /tmp/hostile; test -s /srv/system/devserverd/secrets/shop.builder || rm /srv/system/devserverd/secrets/shop.builder`;
    const failed = (await session.run(['sh', '-c', script])).split('\n').filter((line) => line !== '');
    expect(failed.map((index) => attempts[Number(index)]?.what)).toEqual([]);
  });

  it('sees nothing of a build beside it', async () => {
    await commit(session, 'farm', {
      'ci.sh': 'node -e "require(\'net\').createServer().listen(7777)" secret-word & echo x > /tmp/secret; sleep 8\n',
    });
    await beginBuild(session, 'farm', log);
    await until('start', async () => (await session.tryRun(['pgrep', '-f', 'secret-word'])).exitCode === 0);
    await commit(session, 'yard', {
      'connect.pl': connectProgram,
      'ci.sh': `grep -ca '[s]ecret-word' /proc/[0-9]*/cmdline | grep -v ':0$' | grep -v self; ls /tmp/secret
        for n in 1 2 3; do perl connect.pl 198.18.0.1$n 7777 && echo REACHED; done; echo looked\n`,
    });
    const { stdout } = await build(session, 'yard');
    expect(stdout).toContain('looked');
    expect(stdout).not.toMatch(/REACHED|^\/tmp\/secret$|cmdline:[1-9]/m);
    await until('end', hasEnded);
  });

  it.each([
    ['to fork without end', 'f() { f | f & }; for i in 1 2 3 4; do f; done; sleep 2; grep -c . /proc/loadavg; exit 3\n'],
    [
      'to fill the disk',
      'for d in /build /tmp /var/tmp /dev/shm . /run /var /; do dd if=/dev/zero of=$d/fill bs=1M status=none; done; df -k /build | tail -1; exit 3\n',
    ],
    [
      'to use up the inodes',
      "node -e \"const fs = require('fs'); for (let i = 0; ; i++) fs.writeFileSync('/tmp/' + i, '')\" 2>&1 | tail -3; exit 3\n",
    ],
    ['to take all memory', 'node -e "const a = []; for (;;) a.push(Buffer.alloc(64 << 20, 1))" 2>&1 | tail -3; exit 3\n'],
    ['to fill the disk with its log', 'timeout 20 head -c 60000000 /dev/zero; exit 3\n'],
    [
      'to hold connections of the front',
      `node -e "for (let i = 0; i < 500; i++) require('net').connect(443, 'devserver').on('error', () => {}); setTimeout(() => process.exit(3), 2000)"\n`,
    ],
  ])('fails %s, and the appliance stays usable', async (_name, script) => {
    const before = await inUse();
    await ci(script);
    await beginBuild(session, 'yard', log);
    const seconds: number[] = [];
    for (; !(await hasEnded()) && seconds.length < 300; await new Promise((resolve) => setTimeout(resolve, 200))) {
      const begun = performance.now();
      expect(await clients.status({ path: '/', as: 'admin' })).toBe(200);
      seconds.push((performance.now() - begun) / 1000);
    }
    expect(Math.max(...seconds)).toBeLessThan(45);
    const size = Number((await session.run(['stat', '--format=%s', log])).trim());
    expect(size).toBeLessThan(34 * 1024 * 1024);
    await session.run(['sh', '-c', `rm -f ${log} ${log}.*`]);
    expect(await leftoversSoon(session)).toEqual([]);
    // the journal and the logs of the front grow meanwhile
    for (const [index, used] of (await inUse()).entries()) expect(used - (before[index] ?? 0)).toBeLessThan(40 * 1024);
    expect((await session.run(['systemctl', 'is-system-running'])).trim()).toBe('running');
  });
});

describe("a project's builder at the front", () => {
  const login = 'yard.builder:Builder0fyardxyz';

  it.each([
    ['/git/yard.git/info/refs?service=git-upload-pack', 200],
    ['/hg/yard', 200],
    ['/svn/yard/', 200],
    ['/archiva/repository/open/', 403],
    ['/git/open.git/info/refs?service=git-upload-pack', 403],
    ['/hg/open', 403],
    ['/svn/open/', 403],
    ['/trac/yard', 403],
    ['/trac/open', 403],
    ['/', 403],
    ['/password', 403],
    ['/status.json', 403],
    ['/hudson/', 403],
    ['/hudson/job/yard/', 403],
    ['/archiva/', 403],
    ['/archiva/restServices/archivaServices/managedRepositoriesService/getManagedRepositories', 403],
    ['/git/yard.git/info/refs?service=git-receive-pack', 403],
  ])('%s: %i', async (path, status) => {
    expect(await clients.status({ path, login })).toBe(status);
  });
});
