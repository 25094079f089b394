import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isCandidate, mountDataDisk } from '../../provision/boot/data-disk.ts';
import { type Command, realSystem, type System } from '../../src/kernel/system.ts';

const gibibyte = 1024 ** 3;
const blank = {
  type: 'disk',
  label: null,
  fstype: null,
  pttype: null,
  size: 8 * gibibyte,
  rm: false,
  ro: false,
  tran: null,
  mountpoints: [null],
};

describe('a disk may be formatted', () => {
  it('when it is whole, fixed, blank and large enough, however it is attached', () => {
    for (const tran of [null, 'sata', 'nvme', 'spi']) expect(isCandidate({ ...blank, tran })).toBe(true);
    expect(isCandidate({ ...blank, size: gibibyte })).toBe(true);
    expect(isCandidate({ ...blank, mountpoints: [] })).toBe(true);
  });

  it.each([
    ['a partition', { type: 'part' }],
    ['a loop device', { type: 'loop' }],
    ['a CD', { type: 'rom' }],
    ['removable', { rm: true }],
    ['read-only', { ro: true }],
    ['a USB disk', { tran: 'usb' }],
    ['labelled', { label: 'HOLIDAY' }],
    ['holding a file system', { fstype: 'ext4' }],
    ['holding a partition table', { pttype: 'gpt' }],
    ['holding partitions', { children: [{ ...blank, path: '/dev/x1', type: 'part' }] }],
    ['mounted', { mountpoints: ['/mnt'] }],
    ['smaller than a gibibyte', { size: gibibyte - 1 }],
  ])('not when it is %s', (_what, change) => {
    expect(isCandidate({ ...blank, ...change })).toBe(false);
  });
});

describe('mountDataDisk', () => {
  let folder = '';
  let ran: string[] = [];
  const told: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'disks-'));
    ran = [];
    told.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A sparse file in place of a device, with `text` at `position`. */
  function disk(name: string, change: Record<string, unknown> = {}, text = '', position = 0): Record<string, unknown> {
    const file = path.join(folder, name);
    const descriptor = openSync(file, 'w');
    ftruncateSync(descriptor, 2 * gibibyte);
    if (text !== '') writeSync(descriptor, text, position);
    closeSync(descriptor);
    return { ...blank, path: file, size: 2 * gibibyte, ...change };
  }

  function machineWith(devices: readonly Record<string, unknown>[], mounted = false): System {
    const run = async ({ file, args }: Command) => {
      ran.push(
        [file, ...args]
          .join(' ')
          .replaceAll(`${folder}/`, '')
          .replace(/\/run\/\S+/g, 'RUN'),
      );
      if (file === 'mountpoint') return { stdout: '', stderr: '', exitCode: mounted ? 0 : 32 };
      return { stdout: file === 'lsblk' ? JSON.stringify({ blockdevices: devices }) : '', stderr: '', exitCode: 0 };
    };
    return { ...realSystem(), run };
  }
  const mount = (devices: readonly Record<string, unknown>[], mounted = false) =>
    mountDataDisk(machineWith(devices, mounted), (text) => told.push(text));

  it('leaves a mounted /srv alone', async () => {
    expect(await mount([disk('a')], true)).toBe('already-mounted');
    expect(ran).toEqual(['mountpoint -q /srv']);
  });

  it('takes our labelled disk, also as a partition, and formats nothing', async () => {
    const ours = { ...blank, path: '/dev/b1', type: 'part', fstype: 'btrfs', label: 'DEVSERVER-DATA' };
    expect(await mount([disk('a'), { ...blank, path: '/dev/b', children: [ours] }])).toBe('mounted');
    expect(ran.slice(2)).toEqual(['mount -t btrfs -o subvol=@srv,noatime,nodev,nosuid -- /dev/b1 /srv']);
  });

  it('does not take a foreign file system with our label', async () => {
    expect(await mount([{ ...blank, path: '/dev/a', fstype: 'ext4', label: 'DEVSERVER-DATA' }])).toBe('directory');
  });

  it.runIf(process.getuid?.() === 0)('formats the one blank disk', async () => {
    expect(await mount([disk('a'), disk('usb', { tran: 'usb' })])).toBe('formatted');
    expect(ran.slice(2)).toEqual([
      'mkfs.btrfs -q -f -L DEVSERVER-NEW -- a',
      'mount -t btrfs -o noatime -- a RUN',
      'btrfs subvolume create RUN',
      'umount -- RUN',
      'btrfs filesystem label a DEVSERVER-DATA',
      'mount -t btrfs -o subvol=@srv,noatime,nodev,nosuid -- a /srv',
    ]);
    rmSync('/run/devserver/new-data-disk', { recursive: true, force: true });
  });

  it.runIf(process.getuid?.() === 0)(
    'makes anew a disk whose making was cut short, which bears another label until it is whole',
    async () => {
      expect(await mount([{ ...blank, path: '/dev/a', fstype: 'btrfs', label: 'DEVSERVER-NEW' }])).toBe('formatted');
      expect(ran.some((line) => line.startsWith('mkfs.btrfs -q -f'))).toBe(true);
      rmSync('/run/devserver/new-data-disk', { recursive: true, force: true });
    },
  );

  it('takes neither of two data disks, and none that is a USB disk', async () => {
    const ours = { ...blank, fstype: 'btrfs', label: 'DEVSERVER-DATA' };
    await expect(
      mount([
        { ...ours, path: '/dev/a' },
        { ...ours, path: '/dev/b' },
      ]),
    ).rejects.toThrow('detach one');
    expect(await mount([{ ...ours, path: '/dev/a', tran: 'usb' }])).toBe('directory');
  });

  it('formats nothing when there are two blank disks, and says so', async () => {
    expect(await mount([disk('a'), disk('b')])).toBe('directory');
    expect(told[0]).toContain('2 blank disks are attached');
    expect(ran.some((line) => line.startsWith('mkfs'))).toBe(false);
  });

  it('formats no disk with anything in its first or last mebibyte', async () => {
    for (const position of [0, 1024 * 1024 - 1, 2 * gibibyte - 1]) {
      expect(await mount([disk('a', {}, 'x', position)])).toBe('directory');
    }
    expect(told[0]).toContain('no blank disk is attached');
    expect(ran.some((line) => line.startsWith('mkfs'))).toBe(false);
  });
});
