import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/kernel/secret.ts';
import type { Command } from '../../src/kernel/system.ts';
import { insideGroups } from '../../src/machine/cgroup.ts';
import { dropRestoreKey, qemuValue, writeCredentials } from '../../src/machine/credentials.ts';
import { enterCommand } from '../../src/machine/exec.ts';
import { type Instance, makeMachineFolder } from '../../src/machine/instance.ts';
import { keepSshKey } from '../../src/machine/keys.ts';
import { logCommand } from '../../src/machine/logs.ts';
import { containerCommand, type NspawnPlan, supervisorCommand } from '../../src/machine/nspawn.ts';
import { keepAdminPassword } from '../../src/machine/password.ts';
import { qemuCommand } from '../../src/machine/qemu.ts';
import { forwardRequests } from '../../src/machine/slirp.ts';

const ports = { https: 8443, http: 8080, ssh: 8022 };

async function prepared() {
  const dir = mkdtempSync(path.join(tmpdir(), 'commands,'));
  const instance: Instance = {
    dir,
    name: 'shop',
    hostname: 'shop.example',
    memoryMiB: 2048,
    cpus: 2,
    dataMiB: 8192,
    out: dir,
    listen: '127.0.0.1',
    timezone: 'Europe/Berlin',
    authorizedKeys: ['ssh-ed25519 AAAA me'],
    authorities: { firm: 'PEM' },
  };
  const paths = await makeMachineFolder(dir);
  await keepAdminPassword(paths.adminPassword);
  keepSshKey(paths, 'shop');
  const credentials = await writeCredentials(instance, paths, { url: 'https://127.0.0.1:8443', disasterRecipient: 'age1' });
  const password = readFileSync(paths.adminPassword, 'utf8').trim();
  return { instance, paths, credentials, password };
}

const qemu = { command: (args: readonly string[]): Command => ({ file: 'qemu-system-x86_64', args }) };

describe('credentials', () => {
  it('are files for the owner alone, and stale ones go', async () => {
    const { instance, paths, credentials, password } = await prepared();
    expect(statSync(paths.folder).mode & 0o777).toBe(0o700);
    for (const { file } of credentials) expect(statSync(file).mode & 0o777).toBe(0o600);
    const read = (name: string) => readFileSync(path.join(paths.credentials, name), 'utf8');
    expect(read('devserver.admin-password')).toBe(password);
    expect(read('ssh.authorized_keys.root').split('\n')).toHaveLength(3);
    expect(JSON.parse(read('devserver.authorities'))).toEqual({ firm: 'PEM' });
    expect(read('devserver.timezone')).toBe('Europe/Berlin');
    const { timezone: _, ...without } = instance;
    const own = { url: 'https://dev.example', disasterRecipient: 'age1' };
    await writeCredentials(without, paths, { ...own, restoreKey: new Secret('AGE-SECRET-KEY-1') });
    expect(read('devserver.restore-key')).toBe('AGE-SECRET-KEY-1');
    await dropRestoreKey(paths);
    expect(readdirSync(paths.credentials)).not.toContain('devserver.restore-key');
    await writeCredentials(without, paths, { ...own, restoreKey: new Secret('AGE-SECRET-KEY-1') });
    await writeCredentials(without, paths, own);
    // it belongs to one start
    expect(readdirSync(paths.credentials)).not.toContain('devserver.restore-key');
    expect(readdirSync(paths.credentials)).not.toContain('devserver.timezone');
    expect(read('devserver.url')).toBe('https://dev.example');
  });

  it('never stand in a command line', async () => {
    const { instance, paths, credentials, password } = await prepared();
    const plan: NspawnPlan = { ...instance, paths, ports, root: { offset: 1, bytes: 2 }, credentials };
    const qemuPlan = { ...instance, backend: 'qemu-tcg', ports, paths, credentials, usb: [] } as const;
    const all = JSON.stringify([
      plan,
      containerCommand(plan),
      supervisorCommand('node', 'supervisor.mjs', paths.plan, 'shop', true),
      qemuCommand(qemuPlan, qemu),
    ]);
    expect(all).not.toContain(password);
    expect(all).not.toContain('PRIVATE KEY');
    expect(all).toContain('devserver.admin-password');
  });
});

describe('qemuCommand', () => {
  it('publishes on the asked address only and names files by path', async () => {
    const { instance, paths, credentials } = await prepared();
    const plan = { ...instance, backend: 'qemu-kvm', ports, paths, credentials, usb: ['/a,b.img'] } as const;
    const { args } = qemuCommand(plan, qemu);
    const line = args.join(' ');
    expect(line).toContain(
      '-nic user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:8443-:443,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=tcp:127.0.0.1:8022-:22',
    );
    expect(line).toContain('-accel kvm -cpu host');
    expect(line).toContain('file=/a,,b.img');
    expect(line).toContain(`file=${qemuValue(paths.system)}`);
    expect(line).toContain(
      `name=opt/io.systemd.credentials/devserver.url,file=${qemuValue(path.join(paths.credentials, 'devserver.url'))}`,
    );
    expect(args[args.indexOf('-m') + 1]).toBe('2048M');
  });

  it('emulates every processor on a thread of its own without KVM, and takes UEFI firmware', async () => {
    const { instance, paths, credentials } = await prepared();
    const firmware = { code: '/code.fd', vars: '/vars.fd' };
    const plan = { ...instance, backend: 'qemu-tcg', ports, paths, credentials, usb: [], firmware } as const;
    const line = qemuCommand(plan, qemu).args.join(' ');
    expect(line).toContain('-accel tcg,thread=multi -cpu max');
    expect(line).toContain('if=pflash,format=raw,unit=0,readonly=on,file=/code.fd');
    expect(line).toContain('if=pflash,format=raw,unit=1,file=/vars.fd');
  });
});

describe('the native commands', () => {
  it('ask slirp4netns for the three ports', () => {
    expect(forwardRequests('127.0.0.1', ports).map((request) => JSON.stringify(request))).toEqual([
      '{"execute":"add_hostfwd","arguments":{"proto":"tcp","host_addr":"127.0.0.1","host_port":8443,"guest_addr":"10.0.2.15","guest_port":443}}',
      '{"execute":"add_hostfwd","arguments":{"proto":"tcp","host_addr":"127.0.0.1","host_port":8080,"guest_addr":"10.0.2.15","guest_port":80}}',
      '{"execute":"add_hostfwd","arguments":{"proto":"tcp","host_addr":"127.0.0.1","host_port":8022,"guest_addr":"10.0.2.15","guest_port":22}}',
    ]);
  });

  it('wrap the supervisor in a mount namespace, under systemd in a delegated scope', () => {
    const plain = supervisorCommand('node', 's.mjs', 'plan.json', 'shop', false);
    expect([plain.file, ...plain.args].join(' ')).toBe('unshare --mount --propagation private -- node s.mjs plan.json');
    const scoped = supervisorCommand('node', 's.mjs', 'plan.json', 'shop', true);
    expect(scoped.file).toBe('systemd-run');
    expect(scoped.args).toContain('Delegate=yes');
    expect(scoped.args.slice(-3)).toEqual(['node', 's.mjs', 'plan.json']);
  });

  it('keep the words of a command apart', () => {
    const command = insideGroups(['/a b', '/c'], { file: 'echo', args: ['$x', "it's"] });
    expect(command.args.slice(2)).toEqual(['sh', '2', '/a b', '/c', 'echo', '$x', "it's"]);
    const entered = enterCommand(7, ['sh', '-c', 'echo "$1"']);
    expect(entered.args.slice(-3)).toEqual(['sh', '-c', 'echo "$1"']);
    expect(logCommand({ unit: 'apache2', follow: true })).toEqual([
      'journalctl',
      '--no-pager',
      '--lines=100',
      '--follow',
      '--unit=apache2',
    ]);
  });
});
