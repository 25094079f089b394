import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { fits, requireRoom, roomIn } from '../../../provision/backup/room.ts';

const free = 10e9;
const vfat = { free, longest: 2 ** 32 - 1 };
const ext4 = { free, longest: Number.POSITIVE_INFINITY };

describe('the room for a backup', () => {
  it('is what is free, and on vfat what a file may have', () => {
    expect([fits(ext4, 5e9), fits(vfat, 5e9), fits(vfat, 4e9), fits(ext4, 11e9)]).toEqual([true, false, true, false]);
    expect(roomIn(tmpdir()).free).toBeGreaterThan(0);
  });

  it('is told with a remedy when it is too little', () => {
    expect(() => requireRoom(vfat, 4e9, '/mnt')).not.toThrow();
    expect(() => requireRoom(vfat, 5e9, '/mnt')).toThrow('the backup takes 5.0 GB, and vfat in /mnt takes no file over 4.3 GB');
    expect(() => requireRoom(ext4, 11e9, '/mnt')).toThrow('the backup takes 11.0 GB, and 10.0 GB are free in /mnt');
  });
});
