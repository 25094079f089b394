import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { makeDeb } from '../support/deb.ts';
import { itBacksUpToUsb, javaUnits, shortLabel, strangeBackup } from './support/backup-disk.ts';
import { checkout, must, mustCli, run } from './support/cli.ts';
import { inside, tryInside } from './support/inside.ts';
import { otherKernel } from './support/kernel.ts';
import { copyOf, discard, up } from './support/machine-copy.ts';

const image = inject('image');
const isFull = process.env.DEVSERVER_TEST_SIZE === 'full';
const authority = '/srv/system/secrets/apache/ca.crt';
let dir = '';
let usb = '';

interface KernelRules {
  readonly kernel: { readonly required: readonly string[] };
}

const machineFile = (name: string): string => path.join(dir, 'machine', name);

/** The text of the serial console since this start. */
function consoleText(): string {
  return readFileSync(machineFile('console.log'), 'utf8');
}

async function untilLoginPrompt(seconds: number): Promise<void> {
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    if (/login: ?/.test(consoleText()) && (await tryInside(dir, ['true'])).exitCode === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  throw new Error(`no login prompt within ${seconds} s:\n${consoleText().slice(-2000)}`);
}

const links = async (): Promise<string[]> => (await inside(dir, ['readlink', '/vmlinuz', '/vmlinuz.old'])).trim().split('\n');
const installed = async (): Promise<string[]> =>
  (await inside(dir, ['dpkg-query', '-W', '-f', '${Package}\\n'])).trim().split('\n').sort();

/** Installs a package file inside, where no network is. */
async function install(file: string): Promise<string> {
  const script = 'cat > /var/tmp/it.deb && unshare --net dpkg --install /var/tmp/it.deb 2>&1 && rm /var/tmp/it.deb';
  return inside(dir, ['sh', '-ec', script], readFileSync(file));
}

/** Puts another data disk under the machine; with it comes another identity, so the host key is learnt anew. */
function exchangeDataDisk(keepAs: string, use?: string): void {
  renameSync(machineFile('data.raw'), machineFile(keepAs));
  if (use !== undefined) renameSync(machineFile(use), machineFile('data.raw'));
  rmSync(machineFile('known_host'), { force: true });
}

describe('the image as a virtual machine', () => {
  async function expectKernel(kernel: string): Promise<void> {
    expect(`boot/vmlinuz-${(await inside(dir, ['uname', '-r'])).trim()}`).toBe(kernel);
    expect((await inside(dir, ['findmnt', '-no', 'FSTYPE', '/srv'])).trim()).toBe('btrfs');
  }

  /** This kernel runs, /srv is there, the front answers the administrator, no unit has failed. */
  async function expectReadyPage(result: Awaited<ReturnType<typeof up>>, kernel: string): Promise<void> {
    expect(result.ready).toBe(true);
    await expectKernel(kernel);
    const password = readFileSync(result.adminPasswordFile, 'utf8').trim();
    const ca = path.join(dir, 'ca.crt');
    writeFileSync(ca, await inside(dir, ['cat', authority]));
    const status = ['-s', '-o', '/dev/null', '-w', '%{http_code}'];
    const page = await run('curl', ['--cacert', ca, ...status, '-u', `admin:${password}`, result.url]);
    expect(page.stdout).toBe('200');
    expect((await inside(dir, ['systemctl', 'list-units', '--state=failed', '--plain', '--no-legend'])).trim()).toBe('');
  }

  let firstKernel = '';
  let otherLink = '';
  let nativeAuthority = '';

  beforeAll(async () => {
    dir = await copyOf(image, 'qemu');
  });

  afterAll(() => discard(dir));

  it('takes another kernel package while it runs natively', async () => {
    await up(dir, '--backend', 'nspawn', '--wait');
    nativeAuthority = await inside(dir, ['cat', authority]);
    [firstKernel = ''] = await links();
    const said = await install(await otherKernel());
    const [now = '', before = ''] = await links();
    otherLink = now;
    expect(otherLink, said).toContain('cloud');
    expect(before).toBe(firstKernel);
  });

  it('removes old kernels behind its security updates, and no other package', async () => {
    const fakes = path.join(tmpdir(), `old-kernels-${process.pid}`);
    const version = (link: string): string => link.replace('boot/vmlinuz-', '');
    const old = ['6.1.1', '6.1.2', '6.1.3'].map((it) => ({
      name: `linux-image-${it}+deb13-amd64`,
      version: `${it}-1`,
      files: { [`/boot/vmlinuz-${it}+deb13-amd64`]: 'kernel\n' },
    }));
    for (const deb of [...old, { name: 'nobody-needs-this' }]) await install(makeDeb(fakes, deb));
    rmSync(fakes, { recursive: true });
    const kernels = [firstKernel, otherLink].map((link) => `linux-image-${version(link)}`);
    // as they are when an update brought them; the image's own needs the package that follows versions no more
    await inside(dir, ['apt-mark', 'auto', ...old.map(({ name }) => name), ...kernels, 'nobody-needs-this', 'linux-image-amd64']);
    const before = await installed();
    expect(await inside(dir, ['systemctl', 'show', '-p', 'ExecStartPost', 'apt-daily-upgrade.service'])).toContain(
      '/usr/lib/devserver/remove-old-kernels',
    );
    const said = await inside(dir, ['/usr/lib/devserver/remove-old-kernels']);
    const after = await installed();
    const gone = before.filter((name) => !after.includes(name));
    expect(gone.length, said).toBeGreaterThan(0);
    expect(old.map(({ name }) => name)).toEqual(expect.arrayContaining(gone));
    expect(after).toEqual(expect.arrayContaining([...kernels, 'nobody-needs-this']));
    expect(await links()).toEqual([otherLink, firstKernel]);
    expect(await inside(dir, ['/usr/lib/devserver/remove-old-kernels'])).toBe('');
    // without KVM they take most of the processor while they start, and nothing is asked of them: the full run has them
    if (!isFull) await inside(dir, ['systemctl', 'mask', '--quiet', ...javaUnits]);
    await mustCli(['down', dir]);
  });

  it('boots under BIOS with that kernel and the data disk made natively', async () => {
    // without KVM it takes five minutes from the prompt to ready: the full run has them
    const result = await up(dir, '--backend', 'qemu', ...(isFull ? ['--wait'] : []));
    if (isFull) await expectReadyPage(result, otherLink);
    else {
      await untilLoginPrompt(1500);
      await expectKernel(otherLink);
    }
    expect(await inside(dir, ['cat', authority])).toBe(nativeAuthority);
    // the other kernel has no USB: the image's own again
    await inside(dir, ['ln', '-sfn', firstKernel, '/vmlinuz']);
    await inside(dir, ['ln', '-sfn', firstKernel.replace('vmlinuz', 'initrd.img'), '/initrd.img']);
    await inside(dir, ['sync']);
    await mustCli(['down', dir]);
  }, 2_400_000);

  // a quarter of an hour without KVM
  if (isFull)
    it('boots for the first time: formats the blank disk, takes the settings, gets ready', async () => {
      exchangeDataDisk('data-native.raw');
      onTestFinished(async () => {
        await mustCli(['down', dir]);
        exchangeDataDisk('data-virtual.raw', 'data-native.raw');
      });
      const result = await up(dir, '--backend', 'qemu', '--wait');
      await expectReadyPage(result, firstKernel);
      expect(await inside(dir, ['journalctl', '-b', '-o', 'cat', '-u', 'devserver-boot'])).toMatch(
        /formatting the blank disk \/dev\/vd/,
      );
      expect(await inside(dir, ['cat', authority])).not.toBe(nativeAuthority);
      // the credential arrived in this very boot, not only in the native one before
      await inside(dir, ['test', '-s', '/run/credentials/@system/devserver.admin-password']);
    }, 3_600_000);

  it('boots under UEFI with the data disk made natively, and loads every module the base requires', async () => {
    usb = path.join(dir, 'usb.img');
    writeFileSync(usb, '');
    truncateSync(usb, 2 * 1024 ** 3);
    await must('mkfs.vfat', ['-F', '32', '-n', shortLabel, usb]);
    // by its name a backup of another server; nothing opens it
    writeFileSync(path.join(dir, strangeBackup), 'nothing');
    await must('mcopy', ['-i', usb, path.join(dir, strangeBackup), '::/']);
    await up(dir, '--backend', 'qemu', '--uefi', '--usb', usb);
    await untilLoginPrompt(1500);
    expect((await inside(dir, ['test', '-d', '/sys/firmware/efi'])).trim()).toBe('');
    expect((await inside(dir, ['findmnt', '-no', 'FSTYPE', '/srv'])).trim()).toBe('btrfs');
    expect(await inside(dir, ['cat', authority])).toBe(nativeAuthority);
    const base = parse(readFileSync(path.join(checkout, 'stacks/bases/debian-13.yaml'), 'utf8')) as KernelRules;
    await inside(dir, ['modprobe', '--all', ...base.kernel.required]);
  }, 2_400_000);

  // it goes on running for them
  itBacksUpToUsb(
    image,
    () => ({ dir, usb }),
    () => {
      // four more minutes of emulation
      if (isFull)
        it('has become ready meanwhile', async () => {
          await expectReadyPage(await up(dir, '--backend', 'qemu', '--wait'), firstKernel);
        }, 2_400_000);
    },
  );
});
