import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { checkout, must, run } from './support/cli.ts';
import { Clients } from './support/clients.ts';
import { openSession, type Session } from './support/session.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);
let session: Session;
let catalogue: ApplianceCatalogue;

/** A component's folder as it stands in the checkout, for the parts that its appliance must show. */
interface ComponentFile {
  readonly name: string;
  readonly accounts?: readonly { readonly user: string; readonly id: number; readonly home?: string }[];
  readonly install?: { readonly services?: readonly string[] };
  readonly ports?: readonly { readonly tcp: number | 'random'; readonly address?: string; readonly open?: boolean }[];
}

const components = readdirSync(path.join(checkout, 'stacks/components')).map(
  (name): ComponentFile =>
    parse(readFileSync(path.join(checkout, 'stacks/components', name, 'component.yaml'), 'utf8')) as ComponentFile,
);
let installed: readonly ComponentFile[] = [];

beforeAll(async () => {
  session = openSession(appliance.dir);
  catalogue = JSON.parse(await session.run(['cat', '/usr/share/devserver/catalogue.json'])) as ApplianceCatalogue;
  installed = components.filter(({ name }) => catalogue.components.some((it) => it.name === name));
  // each application does a little, so that its processes are there and its writes are made
  for (const path of [
    '/',
    '/trac/shop',
    '/hg/shop',
    '/git/shop.git/info/refs?service=git-upload-pack',
    '/svn/shop/',
    '/hudson/',
    '/archiva/',
  ]) {
    expect([path, await clients.status({ path, as: 'admin' })]).toEqual([path, 200]);
  }
  await session.driver('ldap', 'ping', {});
  await session.driver('archiva', 'is-closed', {});
});

afterAll(async () => {
  clients.remove();
  await session.close();
});

/**
 * The highest exposure (systemd-analyze security, 0 good, 10 bare) each of our units may have. Measured, rounded
 * up: who loosens a sandbox sees it here. Apache starts as root and hands requests to other accounts; ssh gives
 * an administrator the machine, which is what it is for.
 */
const exposure: Readonly<Record<string, number>> = {
  'apache2.service': 4.5,
  'devserver-audit.service': 1,
  'devserver-builds.service': 1.5,
  // root, with what it takes to read and write every component's data
  'devserver-archive.service': 3.1,
  // root, to exchange the data; it runs after a restore alone
  'devserver-restore.service': 3.5,
  'devserver-git-http.service': 1,
  'devserver-ldap.service': 1.6,
  'devserver-tomcat@archiva.service': 1,
  'devserver-tomcat@hudson.service': 1,
  'devserverd.service': 2.8,
};

/** Units of all drivers; each may be exposed up to 3. */
function drivers(): string[] {
  return catalogue.components.filter(({ driver }) => driver !== undefined).map(({ name }) => `devserver-driver-${name}.service`);
}

/** Services without a limit or a restart, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'devserver-boot.service': 'runs once at boot and ends; a failure shows and is not repeated',
  'devserver-backup.service': 'started by its timer, and ends; a failure stands on the front page',
  'devserver-usb-backup.service': 'runs when a disk is plugged in, and ends; a failure stands on the front page',
  'devserver-archiva-again.service': 'runs once and ends, started by its path unit',
};

describe('the units', () => {
  it('are each no more exposed than their sandbox allows', async () => {
    const lines = (await session.run(['systemd-analyze', 'security', '--no-pager'])).split('\n');
    // of those that are started on demand, whichever happen to be there
    const loaded = lines.map((line) => line.trim().split(/\s+/)[0] ?? '').filter((unit) => /^(devserver|apache2)/.test(unit));
    const known = [...Object.keys(exposure), ...Object.keys(exceptions), ...drivers()];
    expect(loaded.filter((unit) => !known.includes(unit))).toEqual([]);
    const scores: Record<string, number> = {};
    for (const unit of [...Object.keys(exposure), ...drivers()]) {
      const said = await session.run(['systemd-analyze', 'security', '--no-pager', unit]);
      scores[unit] = Number(/Overall exposure level for \S+: ([0-9.]+)/.exec(said)?.[1] ?? Number.NaN);
    }
    const limits = { ...Object.fromEntries(drivers().map((unit) => [unit, 3])), ...exposure };
    const over = Object.entries(limits)
      .filter(([unit, most]) => !((scores[unit] ?? 10) <= most))
      .map(([unit, most]) => `${unit}: ${scores[unit]} > ${most}`);
    expect(over).toEqual([]);
  });

  it('have a memory limit, and come back by themselves', async () => {
    const wrong: string[] = [];
    for (const unit of servicesOf(installed)) {
      if (exceptions[unit] !== undefined) continue;
      const { MemoryMax, Restart } = await show(unit, ['MemoryMax', 'Restart']);
      if (MemoryMax === 'infinity' || MemoryMax === '') wrong.push(`${unit} has no MemoryMax`);
      if (Restart === 'no' || Restart === '') wrong.push(`${unit} has no Restart`);
    }
    expect(wrong).toEqual([]);
  });

  it('of the drivers have a memory limit, and a socket that starts them again', async () => {
    for (const { name, driver } of catalogue.components) {
      if (driver === undefined) continue;
      expect((await show(`devserver-driver-${name}.service`, ['MemoryMax'])).MemoryMax).toMatch(/^[0-9]+$/);
      expect(await show(`devserver-driver-${name}.socket`, ['ActiveState'])).toMatchObject({ ActiveState: 'active' });
    }
  });

  it('have all started, and none has failed', async () => {
    expect((await session.run(['systemctl', 'is-system-running', '--wait'])).trim()).toBe('running');
  });
});

describe('the accounts', () => {
  it('have the numbers that component.yaml says, as user and as group, and no login', async () => {
    const passwd = rows(await session.run(['cat', '/etc/passwd']));
    const group = rows(await session.run(['cat', '/etc/group']));
    const shadow = rows(await session.run(['cat', '/etc/shadow']));
    for (const { user, id, home } of installed.flatMap(({ accounts }) => accounts ?? [])) {
      expect(passwd.get(user)?.slice(2, 4), user).toEqual([String(id), String(id)]);
      expect(passwd.get(user)?.[5], user).toBe(home ?? '/nonexistent');
      expect(passwd.get(user)?.[6], user).toMatch(/nologin$/);
      expect(group.get(user)?.[2], user).toBe(String(id));
    }
    for (const [user, fields] of shadow) expect([user, fields[1]]).toEqual([user, expect.stringMatching(/^[!*]+$/)]);
  });

  it('run the processes: each component as its own, as root only the system itself', async () => {
    const lines = (await session.run(['ps', '-eo', 'user:32,unit:64,args', '--no-headers']))
      .split('\n')
      .filter((line) => line.trim() !== '');
    const processes = lines
      .map((line) => /^(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim()))
      .map((match) => ({ user: match?.[1] ?? '', unit: match?.[2] ?? '', args: match?.[3] ?? '' }));
    const usersOf = (unit: string): string[] =>
      [...new Set(processes.filter((it) => it.unit === unit).map(({ user }) => user))].sort();
    expect(usersOf('devserverd.service')).toEqual(['devserverd']);
    expect(usersOf('devserver-ldap.service')).toEqual(['openldap']);
    expect(usersOf('devserver-driver-ldap.service')).toEqual(['openldap']);
    expect(usersOf('devserver-driver-archiva.service')).toEqual(['archiva']);
    expect(usersOf('devserver-tomcat@archiva.service')).toEqual(['archiva']);
    expect(usersOf('devserver-tomcat@hudson.service')).toEqual(['hudson']);
    expect(usersOf('devserver-git-http.service')).toEqual(['git']);
    expect(usersOf('apache2.service')).toEqual(['hg', 'root', 'trac', 'www-data']);
    const apacheAsRoot = processes.filter(({ unit, user }) => unit === 'apache2.service' && user === 'root');
    expect(apacheAsRoot, 'one parent that answers nobody').toHaveLength(1);
    // what belongs to no unit was brought in by `exec`, which the test itself is
    const rootUnits = processes.filter(({ user, unit }) => user === 'root' && unit.endsWith('.service')).map(({ unit }) => unit);
    const system =
      /^(apache2|devserver-(archive|backup|builds|mail)|ssh|unattended-upgrades|console-getty|(serial-)?getty@.*|systemd-(journald|logind|udevd|hostnamed|userdbd|tmpfiles-clean)|user@0|apt-daily.*|man-db|dpkg-db-backup|logrotate|e2scrub.*|fstrim|ldconfig)\.service$/;
    expect([...new Set(rootUnits)].filter((unit) => !system.test(unit))).toEqual([]);
  });
});

interface Socket {
  readonly kind: string;
  readonly address: string;
  readonly port: number;
  readonly process: string;
}

describe('the network', () => {
  it("has listeners on the loopback only, but for the open ports, DHCP and Hudson's random one", async () => {
    const open = installed
      .flatMap(({ ports }) => ports ?? [])
      .filter((port) => port.open === true)
      .map((port) => port.tcp);
    expect([...open].sort()).toEqual([22, 443, 80]);
    const odd = (await listeners()).filter(({ address, kind, port, process }) => {
      if (isLoopback(address)) return false;
      if (kind === 'tcp' && open.includes(port)) return false;
      // names for builds: the firewall lets their interfaces in, and nobody else
      if (address === '198.18.0.1' && port === 53 && process === 'systemd-resolve') return false;
      if (kind === 'udp' && port === 68 && process === 'systemd-network') return false;
      // component.yaml of hudson: `tcp: random`, dropped by the firewall
      return process !== 'java';
    });
    expect(odd).toEqual([]);
    const random = (await listeners()).filter(({ address, process }) => process === 'java' && !isLoopback(address));
    expect(
      random.filter(({ kind }) => kind === 'tcp').length,
      'java listens more often than component.yaml says',
    ).toBeLessThanOrEqual(1);
  });

  it('drops by default what comes in, and what would go through', async () => {
    const { nftables } = JSON.parse(await session.run(['nft', '--json', 'list', 'ruleset'])) as {
      nftables: { chain?: { name: string; hook?: string; policy?: string } }[];
    };
    const chains = nftables.flatMap(({ chain }) => (chain === undefined ? [] : [chain]));
    expect(chains.find(({ hook }) => hook === 'input')?.policy).toBe('drop');
    expect(chains.find(({ hook }) => hook === 'forward')?.policy).toBe('drop');
  });

  it('answers a neighbour at 22, 80 and 443, and at no other port that anybody listens on', async () => {
    const ports = [...new Set((await listeners()).filter(({ kind }) => kind === 'tcp').map(({ port }) => port))].sort(
      (a, b) => a - b,
    );
    expect(ports.length).toBeGreaterThan(5);
    const reached = await fromANeighbour(ports);
    expect(reached).toEqual([22, 80, 443]);
  });
});

/**
 * What the system itself changes on the system disk while it runs, beside temporary and log files. None of it has to survive,
 * and none is a secret: a new system disk starts without it.
 */
const mayChange: readonly (readonly [RegExp, string])[] = [
  [/^\/(tmp|run|srv|home|dev|proc|sys)?$/, 'the mount points and folders themselves'],
  [/^\/etc$/, 'its own time, for the files below'],
  [/^\/etc\/(hosts|hostname|localtime|machine-id|resolv\.conf)$/, 'made at each boot from the settings in /srv'],
  [/^\/etc\/ssh\/sshd_config\.d(\/devserver\.conf)?$/, 'rendered at boot'],
  [/^\/etc\/ld\.so\.cache$/, 'ldconfig at the first boot'],
  [/^\/etc\/default\/locale$/, "Debian's tmpfiles make it a link to /etc/locale.conf at each boot"],
  [/^\/etc\/(\.pwd\.lock|\.updated|default|credstore.*|systemd\/system.*)$/, 'systemd at the first boot'],
  [/^\/root(\/\.ssh(\/authorized_keys)?)?$/, 'the key given at boot'],
  [/^\/var(\/(log|tmp|cache|lib|mail|spool|backups|local|opt))?$/, 'their own times'],
  [/^\/var\/log\//, 'logs'],
  [/^\/var\/tmp\/systemd-private-/, 'temporary files of sandboxed services'],
  [
    /^\/var\/lib\/(systemd|dbus|private|machines|portables|wtmpdb|logrotate|apt|dpkg|ucf)(\/|$)/,
    'systemd and the package manager',
  ],
  [/^\/var\/lib\/devserver\/tomcat\/[a-z]+(\/work(\/|$)|$)/, "Tomcat's scratch folder"],
  [/^\/var\/(cache\/(ldconfig|apt|private|man|trac-eggs|debconf)|\.updated)(\/|$)/, 'caches'],
  [/^\/var\/\.updated$/, 'systemd at the first boot'],
  [/^\/(usr\/)?lib\/udev\/hwdb\.bin$/, 'systemd at the first boot'],
  [/^\/(\.autorelabel|\.updated)$/, 'systemd at the first boot'],
];

describe('the system disk', () => {
  it('is changed by nothing that runs, but for logs, caches and what each boot makes anew', async () => {
    const since = await session.run([
      'date',
      '--date',
      (await session.run(['ps', '-o', 'lstart=', '-p', '1'])).trim(),
      '+%Y-%m-%d %H:%M:%S',
    ]);
    const changed = (await session.run(['find', '/', '-xdev', '-newerct', since.trim(), '-print']))
      .split('\n')
      .filter((file) => file !== '');
    expect(changed.length, 'find found nothing at all').toBeGreaterThan(5);
    expect(changed.filter((file) => !mayChange.some(([pattern]) => pattern.test(file)))).toEqual([]);
  });
});

/** A unit's properties. */
async function show<K extends string>(unit: string, properties: readonly K[]): Promise<Partial<Record<K, string>>> {
  const text = await session.run(['systemctl', 'show', unit, ...properties.map((it) => `--property=${it}`)]);
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  ) as Partial<Record<K, string>>;
}

/** The services the components install; a socket or path unit stands for the service it starts. */
function servicesOf(all: readonly ComponentFile[]): string[] {
  return all
    .flatMap(({ install }) => install?.services ?? [])
    .filter((unit) => !unit.startsWith('devserverd-'))
    .map((unit) => unit.replace(/\.(socket|path)$/, '.service'));
}

function rows(text: string): Map<string, string[]> {
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => [line.split(':')[0] ?? '', line.split(':')]),
  );
}

async function listeners(): Promise<Socket[]> {
  const lines = (await session.run(['ss', '-Hlntup'])).trim().split('\n');
  return lines.map((line) => {
    const [kind = '', , , , local = ''] = line.trim().split(/\s+/);
    const at = local.lastIndexOf(':');
    return { kind, address: local.slice(0, at), port: Number(local.slice(at + 1)), process: /"([^"]+)"/.exec(line)?.[1] ?? '' };
  });
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address.startsWith('[::1]') || address.endsWith('%lo');
}

/** Which TCP ports a machine beside the appliance can open; a wire to a namespace of its own stands for it. */
async function fromANeighbour(ports: readonly number[]): Promise<number[]> {
  const { leader } = JSON.parse(readFileSync(path.join(appliance.dir, 'machine/state.json'), 'utf8')) as {
    leader: { pid: number };
  };
  const holder = spawn('unshare', ['--net', 'sleep', '300'], { stdio: 'ignore' });
  const within = (pid: number, ...argv: string[]): Promise<string> =>
    must('nsenter', ['--target', String(pid), '--net', ...argv]);
  try {
    const neighbour = holder.pid ?? 0;
    while (
      (await run('readlink', [`/proc/${neighbour}/ns/net`])).stdout === (await run('readlink', ['/proc/self/ns/net'])).stdout
    )
      await new Promise((resolve) => setTimeout(resolve, 50));
    await must('ip', [
      'link',
      'add',
      'e2e0',
      'netns',
      String(leader.pid),
      'type',
      'veth',
      'peer',
      'name',
      'e2e1',
      'netns',
      String(neighbour),
    ]);
    for (const [pid, name, address] of [
      [leader.pid, 'e2e0', '192.0.2.1/30'],
      [neighbour, 'e2e1', '192.0.2.2/30'],
    ] as const) {
      await within(pid, 'ip', 'address', 'add', address, 'dev', name);
      await within(pid, 'ip', 'link', 'set', name, 'up');
    }
    const program = `
      const net = require('node:net');
      const reach = (port) => new Promise((resolve) => {
        const socket = net.connect({ host: '192.0.2.1', port });
        const end = (ok) => { socket.destroy(); resolve(ok ? [port] : []); };
        socket.setTimeout(3000, () => end(false)).on('connect', () => end(true)).on('error', () => end(false));
      });
      Promise.all(${JSON.stringify(ports)}.map(reach)).then((all) => console.log(JSON.stringify(all.flat())));
    `;
    return JSON.parse(await within(neighbour, process.execPath, '--eval', program)) as number[];
  } finally {
    // the wire goes with the namespace
    holder.kill('SIGKILL');
    await run('nsenter', ['--target', String(leader.pid), '--net', 'ip', 'link', 'delete', 'e2e0']);
  }
}
