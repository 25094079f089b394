import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { cli, must, mustCli } from './cli.ts';
import { inside, tryInside } from './inside.ts';
import { copyOf, up } from './machine-copy.ts';

/** What vfat keeps of the label when it is typed in full into a form of eleven characters. */
export const shortLabel = 'DEVSERVER-B';
/** What lies on the disk before the machine writes to it. */
export const strangeBackup = 'before-20250101T000000Z.devserver';

/**
 * The tests of a virtual USB disk: written by a machine in QEMU that runs with it, checked on this computer, restored onto a
 * second, fresh appliance of the same image. The machine is off afterwards.
 */
export function itBacksUpToUsb(image: string, machine: () => { readonly dir: string; readonly usb: string }): void {
  let second = '';
  const shell = (script: string): Promise<string> => inside(machine().dir, ['sh', '-euc', script]);
  const revisions = "git -c safe.directory='*' --git-dir /srv/git/usb.git rev-parse main";

  afterAll(async () => {
    if (second !== '') await cli(['down', second]);
  });

  it('is found by its label, written, verified and let go of', { timeout: 1_800_000 }, async () => {
    await until(
      'the machine answers',
      10,
      async () => (await tryInside(machine().dir, ['test', '-S', '/run/devserver/control.sock'])).exitCode === 0,
    );
    // it was there from the start, there is nothing to be kept yet, and something to be had back
    await until('the unit of the disk has run', 10, async () =>
      (await tryInside(machine().dir, ['journalctl', '-b', '-o', 'cat', '-u', 'devserver-usb-backup'])).stdout.includes(
        `${strangeBackup} lies on the disk; to take it back: devserver restore --usb`,
      ),
    );
    const offer = 'a backup of before lies on the disk';
    expect((await tryInside(machine().dir, ['devserver', 'status'])).stdout).toContain(offer);
    await until('a project can be made', 15, async () => {
      const ready = await tryInside(machine().dir, ['sh', '-c', 'cd /run/devserver/ready && ls ldap git trac']);
      return ready.exitCode === 0;
    });
    await inside(machine().dir, ['devserver', 'newproject', 'usb', '--vcs', 'git', '--no-maven', '--no-ci']);
    const said = await inside(machine().dir, ['usb-backup']);
    expect(said).toMatch(/^\S+\.devserver: .* verified\nthe disk may be unplugged\n$/m);
    expect(await shell('grep -c /run/devserver/usb /proc/mounts || true')).toBe('0\n');
    expect(await shell('ls /run/devserver | grep usb || true')).toBe('');
    expect((await tryInside(machine().dir, ['devserver', 'status'])).stdout).not.toContain(offer);
    // the newest one, which is this machine's own
    expect(await inside(machine().dir, ['devserver', 'restore', '--usb', '--dry-run'])).toContain(
      'would take the place of what is here; nothing was done',
    );
  });

  it('gets a backup as soon as it is plugged in', { timeout: 900_000 }, async () => {
    await sleep(1100);
    const before = await shell('cat /srv/system/backups.json');
    await shell('udevadm trigger --action=add --settle /dev/disk/by-label/DEVSERVER-B');
    await until('it is written', 10, async () => (await shell('cat /srv/system/backups.json')) !== before);
    await until('the unit has ended', 5, async () =>
      (await shell('systemctl show -P ActiveState devserver-usb-backup')).startsWith('inactive'),
    );
    expect(await shell('journalctl -b -o cat -u devserver-usb-backup')).toContain('the disk may be unplugged');
    expect(await shell('systemctl show -P Result devserver-usb-backup')).toBe('success\n');
  });

  it('that is pulled in the middle loses nothing that was on it', { timeout: 900_000 }, async () => {
    await shell('head -c 60000000 /dev/urandom > /srv/git/usb.git/objects/large');
    const pulled = `d=$(basename $(readlink -f /dev/disk/by-label/DEVSERVER-B)); usb-backup & sleep 0.1
      for i in $(seq 600); do ls /run/devserver/usb/*.partial > /dev/null 2>&1 && break; sleep 0.05; done
      sleep 0.2; echo 1 > /sys/block/$d/device/delete; wait $! && echo written || echo "failed $?"`;
    expect(await inside(machine().dir, ['bash', '-c', pulled])).toMatch(/failed \d+\n$/);
    expect(await shell('grep -c /run/devserver/usb /proc/mounts || true')).toBe('0\n');
    expect((await tryInside(machine().dir, ['usb-backup'])).stderr).toContain('no disk labelled DEVSERVER-BACKUP is plugged in');
    expect((await tryInside(machine().dir, ['devserver', 'status'])).stdout).toMatch(/the backup of .* failed/);
    await shell('for host in /sys/class/scsi_host/host*; do echo "- - -" > $host/scan; done; udevadm settle');
    await until(
      'the disk is there again',
      2,
      async () => (await tryInside(machine().dir, ['test', '-e', '/dev/disk/by-label/DEVSERVER-B'])).exitCode === 0,
    );
    await until(
      'it is written',
      10,
      async () =>
        (await shell('cat /srv/system/backups.json')).includes('"done"') &&
        !(await shell('cat /srv/system/backups.json')).includes('failed'),
    );
    await until('the unit has ended', 5, async () =>
      (await shell('systemctl show -P ActiveState devserver-usb-backup')).startsWith('inactive'),
    );
  });

  it('can be checked without the appliance, and makes a fresh one what this was', { timeout: 1_800_000 }, async () => {
    const head = await shell(revisions);
    await mustCli(['down', machine().dir]);
    const key = path.join(machine().dir, 'disaster-key');
    second = await copyOf(image, 'qemu-second');
    const file = path.join(second, 'restored.devserver');
    const backups = (await onDisk(machine().usb)).filter((name) => name.endsWith('.devserver') && name !== strangeBackup);
    expect(backups.length, 'all that were said to be written, and nothing half').toBeGreaterThanOrEqual(3);
    for (const name of backups) {
      await must('mcopy', ['-n', '-o', '-i', machine().usb, `::/${name}`, file]);
      expect(await mustCli(['verify-backup', file, '--key', key])).toContain('is whole');
    }
    await up(second, '--backend', 'nspawn', '--wait');
    const there = ['sh', '-euc', 'umask 077; mkdir -p /var/tmp/r; cat > /var/tmp/r/$1', 'sh'];
    await inside(second, [...there, 'file.devserver'], readFileSync(file));
    await inside(second, [...there, 'key'], readFileSync(key));
    await inside(second, [
      'devserver',
      'restore',
      '/var/tmp/r/file.devserver',
      '--key',
      '/var/tmp/r/key',
      '--yes',
      '--no-reboot',
    ]);
    await inside(second, ['touch', '/run/before-the-restart']);
    await tryInside(second, ['systemctl', 'reboot']);
    await until('it is restored', 5, async () => {
      rmSync(path.join(second, 'machine/known_host'), { force: true });
      const { exitCode, stdout } = await tryInside(second, [
        'sh',
        '-c',
        'test ! -e /run/before-the-restart && devserver restore --show --json',
      ]);
      return exitCode === 0 && stdout.includes('"phase":"done"');
    });
    expect(await inside(second, ['sh', '-c', revisions])).toBe(head);
    expect(await inside(second, ['sh', '-c', 'stat -c %s /srv/git/usb.git/objects/large'])).toBe('60000000\n');
    expect(await inside(second, ['devserver', 'project', 'list'])).toContain('usb');
  });
}

async function until(what: string, minutes: number, look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + minutes * 60_000; Date.now() < end; await sleep(2000)) if (await look()) return;
  throw new Error(`${what}: not within ${minutes} minutes`);
}

/** The files on the disk, as this computer finds them. */
async function onDisk(usb: string): Promise<string[]> {
  const listed = await must('mdir', ['-b', '-i', usb, '::']);
  return listed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace('::/', ''))
    .sort();
}
