import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { type CliResult, cli, must, mustCli, run } from './support/cli.ts';
import { inside, tryInside } from './support/inside.ts';
import { discard } from './support/machine-copy.ts';
import { answersFor, stockMachine } from './support/stock-machine.ts';

const image = inject('image');

/** What a machine keeps whatever is installed on it. */
const own = ['/etc/hostname', '/etc/hosts', '/etc/fstab', '/etc/ssh/ssh_host_ed25519_key.pub', '/etc/ssh/sshd_config'];

const isFull = process.env.DEVSERVER_TEST_SIZE === 'full';

/** Restarts what is inside, and returns when something is there again. */
async function reboot(dir: string): Promise<void> {
  await inside(dir, ['touch', '/run/before-the-reboot']);
  await tryInside(dir, ['systemctl', 'reboot']);
  const looked = async (): Promise<number> => (await tryInside(dir, ['test', '!', '-e', '/run/before-the-reboot'])).exitCode;
  await expect.poll(looked, { timeout: 600_000, interval: 1000 }).toBe(0);
}

describe('a minimal machine that is there', () => {
  let dir = '';
  let port = 0;
  let fingerprint = '';
  let before = '';

  const install = (user: string, ...flags: string[]): Promise<CliResult> => {
    const way = ['--ssh', `${user}@127.0.0.1`, '--port', String(port), '--identity', path.join(dir, 'machine/ssh_key')];
    return cli(['install', dir, ...way, ...flags, '--json']);
  };
  const kept = (): Promise<string> => inside(dir, ['sh', '-c', 'sha256sum -- "$@"; readlink /etc/resolv.conf', 'sh', ...own]);
  // it is no server of ours yet, which is no success of `status`
  const portsOf = async (): Promise<{ ssh: number; https: number }> =>
    (JSON.parse((await cli(['status', dir, '--json'])).stdout) as { ports: { ssh: number; https: number } }).ports;
  const packages = (): Promise<string> => inside(dir, ['dpkg-query', '--show']);

  beforeAll(async () => {
    dir = await stockMachine('stock');
    answersFor(dir, image);
    await mustCli(['up', dir, '--backend', 'nspawn', '--json']);
    const ports = await portsOf();
    port = ports.ssh;
    answersFor(dir, image, `https://127.0.0.1:${ports.https}`);
    // somebody who may use sudo, and no settings from outside
    const key = readFileSync(path.join(dir, 'machine/ssh_key.pub'));
    await inside(dir, ['sh', '-c', 'cat > /home/admin/.ssh/authorized_keys'], key);
    await inside(dir, ['sh', '-c', 'mount -o remount,rw "$1" && rm "$1"/devserver.*', 'sh', '/run/credentials/@system']);
    fingerprint = (await inside(dir, ['ssh-keygen', '-lf', '/etc/ssh/ssh_host_ed25519_key.pub'])).split(' ')[1] ?? '';
    before = await kept();
  });
  afterAll(() => discard(dir));

  it('is not touched while ssh does not know it, or knows another', async () => {
    const unknown = await install('root');
    expect(unknown).toMatchObject({ exitCode: 4 });
    expect(unknown.stdout).toContain(`--host-key ${fingerprint}`);
    expect(await install('root', '--host-key', 'SHA256:another')).toMatchObject({ exitCode: 4 });
    expect(await install('nobody', '--host-key', fingerprint)).toMatchObject({ exitCode: 4 });
  });

  it('is told all that is in the way at once, and is changed by none of that', async () => {
    const there = await packages();
    await inside(dir, [
      'sh',
      '-c',
      'cp -p /etc/nftables.conf /root; echo mine > /etc/nftables.conf; groupadd --gid 710 strange; mkdir -p /etc/devserver; echo x > /etc/devserver/hgweb.config',
    ]);
    await inside(dir, ['systemd-run', '--unit=taken', 'systemd-socket-activate', '--listen=443', 'cat']);
    await inside(dir, ['systemctl', 'stop', 'systemd-resolved.service']);
    const { exitCode, stdout } = await install('admin', '--host-key', fingerprint);
    const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { details: string[] };
    expect(exitCode).toBe(4);
    for (const what of [
      "the number 710 is strange's in group, and the account openldap needs it",
      'systemd-resolved.service does not run here',
      'port 443 is taken',
      "/etc/nftables.conf is there and somebody's own",
      "/etc/devserver/hgweb.config is there and somebody's own",
    ])
      expect(told.details).toContainEqual(expect.stringContaining(what));
    expect(told.details.filter((line) => line.startsWith('devserver:'))).toHaveLength(5);
    await inside(dir, ['systemctl', 'stop', 'taken.service']);
    await inside(dir, ['systemctl', 'start', 'systemd-resolved.service']);
    expect(await packages()).toBe(there);
    expect(await kept()).toBe(before);
    await inside(dir, ['sh', '-c', 'groupdel strange; rm -r /etc/devserver; mv /root/nftables.conf /etc/']);
  });

  it('becomes the server for somebody with sudo, and keeps what is its own', async () => {
    const { exitCode, stdout, stderr } = await install('admin', '--host-key', fingerprint);
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    expect(JSON.parse(await inside(dir, ['devserver', 'status', '--json']))).toMatchObject({ ready: true });
    expect(await kept()).toBe(before);
    // no console shows it, no log does
    const password = (await inside(dir, ['cat', '/srv/system/initial-admin-password'])).trim();
    expect(await inside(dir, ['journalctl', '--no-pager'])).not.toContain(password);
    const { https } = await portsOf();
    const ca = path.join(dir, 'ca.crt');
    writeFileSync(ca, await inside(dir, ['cat', '/srv/system/secrets/apache/ca.crt']));
    const asked = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', ca, '-u', `admin:${password}`];
    const codes = await Promise.all(
      ['', 'status.json', 'hudson/'].map((at) => run('curl', [...asked, `https://127.0.0.1:${https}/${at}`])),
    );
    expect(codes.map((it) => it.stdout)).toEqual(['200', '200', '200']);
    // what it holds of packages and policies is as it was before
    expect((await tryInside(dir, ['test', '-e', '/usr/sbin/policy-rc.d'])).exitCode).toBe(1);
    expect(await inside(dir, ['sh', '-c', 'ls /var/tmp | grep -v ^systemd-private || true'])).toBe('');
    expect(await inside(dir, ['systemctl', '--failed', '--no-legend'])).toBe('');
  }, 2_400_000);

  it('has whole projects behind its firewall', async () => {
    expect(await inside(dir, ['newproject', 'shop', '--vcs', 'git', '--yes'])).toContain('shop');
    expect(await inside(dir, ['devserver', 'doctor'])).toContain('as it should be');
    const rules = await inside(dir, ['nft', 'list', 'chain', 'inet', 'devserver', 'input']);
    expect(rules).toContain('policy drop');
    expect([...rules.matchAll(/tcp dport (\d+) accept/g)].map(([, open]) => open)).toEqual(['80', '443', '22']);
  });

  it('goes on where it was cut short, takes another release, and loses nothing', async () => {
    const list = '/var/lib/devserver/installation/files';
    await inside(dir, [
      'sh',
      '-c',
      'echo old > /usr/share/devserver/of-an-earlier-release; echo /usr/share/devserver/of-an-earlier-release >> "$1"',
      'sh',
      list,
    ]);
    // as a power cut may leave it: a package that is not configured and a journal of dpkg, our word that nothing may start, and
    // a program of ours without a byte
    const cut = `cd /tmp && apt-get -q download tree && dpkg --unpack tree_*.deb && rm tree_*.deb
      cp /var/lib/dpkg/status /tmp/status && dpkg-query --showformat='\${binary:Package}\\n' --show tree
      sed -n '/^Package: tree$/,/^$/p' /tmp/status > /var/lib/dpkg/updates/0000 && rm /tmp/status
      printf '#!/bin/sh\\n%s\\nexit 101\\n' '# of an installation of devserver that goes on' > /usr/sbin/policy-rc.d
      chmod 755 /usr/sbin/policy-rc.d
      : > /usr/lib/devserver/devserverd.mjs`;
    await inside(dir, ['sh', '-euc', cut]);
    const { exitCode, stdout, stderr } = await install('root', '--host-key', fingerprint);
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    expect((await tryInside(dir, ['test', '-e', '/usr/share/devserver/of-an-earlier-release'])).exitCode).toBe(1);
    expect(await inside(dir, ['devserver', 'doctor'])).toContain('as it should be');
    expect(await inside(dir, ['devserver', 'project', 'list'])).toContain('shop');
    expect((await tryInside(dir, ['test', '-e', '/usr/sbin/policy-rc.d'])).exitCode).toBe(1);
    expect(await inside(dir, ['dpkg', '--audit'])).toBe('');
    expect(await kept()).toBe(before);
  }, 1_800_000);

  it('is the server after a reboot too', async () => {
    await reboot(dir);
    const { exitCode, stdout } = await cli(['up', dir, '--backend', 'nspawn', '--wait', '--json']);
    expect(exitCode, stdout).toBe(0);
    expect(await kept()).toBe(before);
    expect(await inside(dir, ['systemctl', '--failed', '--no-legend'])).toBe('');
  });
});

// another machine, another five minutes: in the full size
if (isFull)
  describe('a stock image with cloud-init', () => {
    let dir = '';
    let unpacked = '';

    beforeAll(async () => {
      dir = await stockMachine('seeded', ['cloud-init']);
      answersFor(dir, image);
      const elsewhere = path.join(dir, 'elsewhere');
      mkdirSync(elsewhere);
      answersFor(elsewhere, image);
      await mustCli(['build', elsewhere, '--output', 'seed', '--plain']);
      unpacked = path.join(dir, 'seed');
      mkdirSync(unpacked);
      await must('bsdtar', ['-xf', path.join(elsewhere, 'out/seed.iso'), '-C', unpacked]);
      rmSync(elsewhere, { recursive: true });
    });
    afterAll(() => discard(dir));

    it('becomes the server from the seed', async () => {
      await mustCli(['up', dir, '--backend', 'nspawn', '--json']);
      const folder = '/var/lib/cloud/seed/nocloud';
      expect(
        await inside(
          dir,
          ['sh', '-c', 'cat > /tmp/user-data; cloud-init schema --config-file /tmp/user-data'],
          readFileSync(path.join(unpacked, 'user-data')),
        ),
      ).toContain('Valid');
      for (const name of ['meta-data', 'user-data', 'installer.tar.gz'])
        await inside(
          dir,
          ['sh', '-c', 'mkdir -p "$1"; cat > "$1/$2"', 'sh', folder, name],
          readFileSync(path.join(unpacked, name)),
        );
      await reboot(dir);
      await vi.waitFor(
        async () => expect((await tryInside(dir, ['cloud-init', 'status', '--wait'])).stdout).toContain('status: done'),
        { timeout: 600_000, interval: 5000 },
      );
      expect(JSON.parse(await inside(dir, ['devserver', 'status', '--json']))).toMatchObject({ ready: true });
      expect(await inside(dir, ['systemctl', '--failed', '--no-legend'])).toBe('');
    }, 1_800_000);
  });
