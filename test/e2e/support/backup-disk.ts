import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { counted } from '../../support/counted.ts';
import { must, mustCli } from './cli.ts';
import { inside, tryInside } from './inside.ts';
import { copyOf, discard, up } from './machine-copy.ts';
import { pullThePlug } from './plug.ts';

const isFull = process.env.DEVSERVER_TEST_SIZE === 'full';
/** What vfat keeps of the label when it is typed in full into a form of eleven characters. */
export const shortLabel = 'DEVSERVER-B';
/** The servers that are slowest to start. */
export const javaUnits = ['devserver-tomcat@archiva.service', 'devserver-tomcat@hudson.service'];
/** What lies on the disk before the machine writes to it. */
export const strangeBackup = 'before-20250101T000000Z.devserver';

/**
 * The tests of a virtual USB disk: written by a machine in QEMU that runs with it, checked on this computer, restored onto a
 * second, fresh appliance of the same image. The machine is off afterwards; what else is to be asked of it while nothing has
 * failed yet is `whileItRuns`.
 */
export function itBacksUpToUsb(
  image: string,
  machine: () => { readonly dir: string; readonly usb: string },
  whileItRuns: () => void,
): void {
  let second = '';
  let third = '';
  const shell = (script: string): Promise<string> => inside(machine().dir, ['sh', '-euc', script]);
  let head = '';
  /** A file of the disk, copied to this computer. */
  const copied = async (name: string): Promise<string> => {
    const file = path.join(machine().dir, 'copied.devserver');
    await must('mcopy', ['-n', '-o', '-i', machine().usb, `::/${name}`, file]);
    return file;
  };
  /** What this computer says of a file of the disk. */
  const checked = async (name: string): Promise<string> =>
    mustCli(['verify-backup', await copied(name), '--key', path.join(machine().dir, 'disaster-key')]);
  const revisions = "git -c safe.directory='*' --git-dir /srv/git/usb.git rev-parse main";

  afterAll(async () => {
    await discard(second);
    await discard(third);
  });

  it('is found by its label, written, verified and let go of', { timeout: 3_600_000 }, async () => {
    await until(
      'the machine answers',
      30,
      async () => (await tryInside(machine().dir, ['test', '-S', '/run/devserver/control.sock'])).exitCode === 0,
    );
    // it was there from the start, there is nothing to be kept yet, and something to be had back
    await until('the unit of the disk has run', 30, async () =>
      (await tryInside(machine().dir, ['journalctl', '-b', '-o', 'cat', '-u', 'devserver-usb-backup'])).stdout.includes(
        `${strangeBackup} lies on the disk; to take it back: devserver restore --usb`,
      ),
    );
    const offer = 'a backup of before lies on the disk';
    expect((await tryInside(machine().dir, ['devserver', 'status'])).stdout).toContain(offer);
    await until('a project can be made', 40, async () => {
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

  it('gets a backup as soon as it is plugged in', { timeout: 2_400_000 }, async () => {
    await sleep(1100);
    const before = await shell('cat /srv/system/backups.json');
    await shell('udevadm trigger --action=add --settle /dev/disk/by-label/DEVSERVER-B');
    await until('it is written', 30, async () => (await shell('cat /srv/system/backups.json')) !== before);
    await until('the unit has ended', 20, async () =>
      (await shell('systemctl show -P ActiveState devserver-usb-backup')).startsWith('inactive'),
    );
    expect(await shell('journalctl -b -o cat -u devserver-usb-backup')).toContain('the disk may be unplugged');
    expect(await shell('systemctl show -P Result devserver-usb-backup')).toBe('success\n');
  });

  whileItRuns();

  it('that is pulled in the middle loses nothing that was on it', { timeout: 2_400_000 }, async () => {
    await shell('head -c 60000000 /dev/urandom > /srv/git/usb.git/objects/large');
    const pulled = `d=$(basename $(readlink -f /dev/disk/by-label/DEVSERVER-B)); usb-backup & sleep 0.1
      for i in $(seq 6000); do ls /run/devserver/usb/*.partial > /dev/null 2>&1 && break; sleep 0.05; done
      sleep 0.2; echo 1 > /sys/block/$d/device/delete; wait $! && echo written || echo "failed $?"`;
    expect(await inside(machine().dir, ['bash', '-c', pulled])).toMatch(/failed \d+\n$/);
    expect(await shell('grep -c /run/devserver/usb /proc/mounts || true')).toBe('0\n');
    expect((await tryInside(machine().dir, ['usb-backup'])).stderr).toContain('no disk labelled DEVSERVER-BACKUP is plugged in');
    expect((await tryInside(machine().dir, ['devserver', 'status'])).stdout).toMatch(/the backup of .* failed/);
    await shell('for host in /sys/class/scsi_host/host*; do echo "- - -" > $host/scan; done; udevadm settle');
    await until(
      'the disk is there again',
      10,
      async () => (await tryInside(machine().dir, ['test', '-e', '/dev/disk/by-label/DEVSERVER-B'])).exitCode === 0,
    );
    await until(
      'it is written',
      30,
      async () =>
        (await shell('cat /srv/system/backups.json')).includes('"done"') &&
        !(await shell('cat /srv/system/backups.json')).includes('failed'),
    );
    await until('the unit has ended', 20, async () =>
      (await shell('systemctl show -P ActiveState devserver-usb-backup')).startsWith('inactive'),
    );
  });

  const cuts = isFull ? 10 : 1;
  it('that loses its power in the middle loses nothing that was on it, or in the machine', {
    timeout: 1_200_000 + cuts * 2_400_000,
  }, async () => {
    head = await shell(revisions);
    for (let cut = 0; cut < cuts; cut += 1) {
      const { dir, usb } = machine();
      if (cut > 0) {
        await up(dir, '--backend', 'qemu', '--usb', usb);
        await until(
          'the machine answers',
          20,
          async () => (await tryInside(dir, ['test', '-S', '/run/devserver/control.sock'])).exitCode === 0,
        );
      }
      const before = await backupsOn(usb);
      const writing = tryInside(dir, ['usb-backup']);
      await shell(
        'for look in $(seq 6000); do ls /run/devserver/usb/*.partial > /dev/null 2>&1 && exit 0; sleep 0.1; done; exit 1',
      );
      // over the writing, the reading back and the renaming
      await sleep((10_000 * cut) / cuts);
      await pullThePlug(dir);
      await writing;
      counted({ powerCutsOfQemu: 1 });
      const after = await backupsOn(usb);
      expect(after, 'what was there is there').toEqual(expect.arrayContaining(before));
      for (const name of after) expect(await checked(name), name).toContain('is whole');
    }
    // on the same data disk, natively, which is quicker
    const { dir } = machine();
    rmSync(path.join(dir, 'machine/known_host'), { force: true });
    await up(dir, '--backend', 'nspawn');
    await until('it answers', 10, async () => (await tryInside(dir, ['true'])).exitCode === 0);
    await shell(`systemctl unmask --quiet ${javaUnits.join(' ')}; systemctl start ${javaUnits.join(' ')}`);
    await up(dir, '--backend', 'nspawn', '--wait');
    expect(await shell(revisions)).toBe(head);
    expect(await shell('stat -c %s /srv/git/usb.git/objects/large')).toBe('60000000\n');
    expect(await shell('devserver doctor')).toContain('every project is as it should be');
    await shell('mkdir -p /var/tmp/next; devserver backup create --to /var/tmp/next');
    expect(await shell('ls -A /srv/.backup')).toBe('');
    await mustCli(['down', dir]);
  });

  it('can be checked without the appliance, and makes a fresh one what this was', { timeout: 3_600_000 }, async () => {
    const names = await backupsOn(machine().usb);
    expect(names.length, 'all that were said to be written, and nothing half').toBeGreaterThanOrEqual(3);
    for (const name of names) expect(await checked(name), name).toContain('is whole');
    const key = path.join(machine().dir, 'disaster-key');
    const file = await copied(names.at(-1) ?? '');
    second = await copyOf(image, 'qemu-second');
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
    await until('it is restored', 15, async () => {
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
    await mustCli(['down', second]);
  });

  // two boots and a trial, which without KVM take half an hour: the full run has it
  if (isFull)
    it('makes a fresh machine what this was without anybody, where it is given the key', { timeout: 5_400_000 }, async () => {
      third = await copyOf(image, 'qemu-third');
      const { dir, usb } = machine();
      await up(third, '--backend', 'qemu', '--usb', usb, '--restore-key', path.join(dir, 'disaster-key'));
      await until('it is restored', 80, async () => {
        rmSync(path.join(third, 'machine/known_host'), { force: true });
        const { exitCode, stdout } = await tryInside(third, ['devserver', 'restore', '--show', '--json']);
        return exitCode === 0 && stdout.includes('"phase":"done"');
      });
      expect(await inside(third, ['sh', '-c', revisions])).toBe(head);
      expect(await inside(third, ['devserver', 'project', 'list'])).toContain('usb');
      await mustCli(['down', third]);
    });
}

async function until(what: string, minutes: number, look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + minutes * 60_000; Date.now() < end; await sleep(2000)) if (await look()) return;
  throw new Error(`${what}: not within ${minutes} minutes`);
}

/** The machine's own backups on the disk, as this computer finds them. */
async function backupsOn(usb: string): Promise<string[]> {
  return (await onDisk(usb)).filter((name) => name.endsWith('.devserver') && name !== strangeBackup);
}

/** The files on the disk. */
async function onDisk(usb: string): Promise<string[]> {
  const listed = await must('mdir', ['-b', '-i', usb, '::']);
  return listed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace('::/', ''))
    .sort();
}
