import { describe, expect, it } from 'vitest';
import { chooseDisk } from '../../../provision/usb/find.ts';

const disk = (changes: object = {}): Parameters<typeof chooseDisk>[0][number] => ({
  ...{ path: '/dev/sdb', label: null, partlabel: null, fstype: null, ro: false, mountpoints: [null] },
  ...changes,
});
const ours = disk({ path: '/dev/sdb1', label: 'DEVSERVER-BACKUP', fstype: 'ext4' });

describe('the backup disk', () => {
  it('is the one with the label, whole or a partition of one', () => {
    expect(chooseDisk([disk({ path: '/dev/sda', label: 'OTHER', fstype: 'ext4' }), disk({ children: [ours] })])).toEqual({
      ...{ device: '/dev/sdb1', fileSystem: 'ext4', isReadOnly: false },
    });
    expect(chooseDisk([disk({ partlabel: 'DEVSERVER-BACKUP', label: 'x', fstype: 'exfat' })])).toEqual({
      ...{ device: '/dev/sdb', fileSystem: 'exfat', isReadOnly: false },
    });
    // one that is locked by its switch can be read
    expect(chooseDisk([{ ...ours, ro: true }], 'read')).toMatchObject({ device: '/dev/sdb1', isReadOnly: true });
  });

  it('may bear what vfat and exfat keep of the label, and no other file system may', () => {
    for (const fstype of ['vfat', 'exfat']) expect(chooseDisk([disk({ label: 'DEVSERVER-B', fstype })]).fileSystem).toBe(fstype);
    expect(() => chooseDisk([disk({ label: 'DEVSERVER-B', fstype: 'ext4' })])).toThrow('no disk labelled DEVSERVER-BACKUP');
  });

  it('is never guessed', () => {
    const refused: [string, Parameters<typeof chooseDisk>[0]][] = [
      ['no disk labelled DEVSERVER-BACKUP is plugged in', []],
      ['no disk labelled', [disk({ label: 'BACKUP', fstype: 'vfat' }), disk({ label: 'devserver-backup', fstype: 'ext4' })]],
      ['/dev/sdb1 and /dev/sdc are all labelled', [ours, disk({ path: '/dev/sdc', label: 'DEVSERVER-BACKUP', fstype: 'ext4' })]],
      ['/dev/sdb1 is mounted at /mnt', [{ ...ours, mountpoints: ['/mnt'] }]],
      ['/dev/sdb1 is read-only', [{ ...ours, ro: true }]],
      ['/dev/sdb1 has ntfs', [{ ...ours, fstype: 'ntfs' }]],
      ['/dev/sdb1 has no file system', [{ ...ours, fstype: null, partlabel: 'DEVSERVER-BACKUP' }]],
    ];
    for (const [why, blocks] of refused) expect(() => chooseDisk(blocks), why).toThrow(why);
  });
});
