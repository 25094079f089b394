import { describe, expect, it } from 'vitest';
import { diskFull, isDiskFull } from '../../src/kernel/disk-full.ts';
import { UserError } from '../../src/kernel/errors.ts';

const failed = (...details: string[]): UserError => new UserError('x ended with code 1', { details });

describe('a full disk', () => {
  it.each([
    'dpkg: error processing archive x.deb (--unpack): failed to write (No space left on device)',
    "E: You don't have enough free space in /var/cache/apt/archives/.",
    'tar: root.tar: Cannot write: No space left on device',
    'tar: root.tar: Wrote only 4096 of 10240 bytes',
    'cp: error writing x: Disk quota exceeded',
  ])('is known by what programs print: %s', (line) => {
    expect(isDiskFull(failed('$ command', line, 'something else'))).toBe(true);
    // our own words about a disk are no such lines
    expect(isDiskFull(new UserError(line))).toBe(false);
  });

  it('is known by the codes of the kernel, and nothing else is one', () => {
    for (const code of ['ENOSPC', 'EDQUOT']) expect(isDiskFull(Object.assign(new Error('write'), { code }))).toBe(true);
    expect(isDiskFull(Object.assign(new Error('write'), { code: 'EIO' }))).toBe(false);
    expect(isDiskFull(failed('No such device', 'space left'))).toBe(false);
    expect(isDiskFull('ENOSPC')).toBe(false);
  });

  it('is told with what was going on, what was said, and what to do', () => {
    expect(diskFull(failed('No space left on device'), 'copying', ['log: x'])).toMatchObject({
      message: 'the disk is full (copying)',
      details: ['No space left on device', 'log: x'],
      hint: expect.stringContaining('free some space'),
      exitCode: 4,
    });
  });
});
