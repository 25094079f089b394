import { describe, expect, it } from 'vitest';
import { backupWarnings, diskWarnings, expiryWarnings, findWarnings } from '../../provision/daemon/warnings.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { applianceCatalogue } from '../support/appliance.ts';

const day = 86_400_000;
const now = new Date('2026-06-01T00:00:00Z');
const inDays = (days: number) => expiryWarnings(new Date(now.getTime() + days * day), now, 'front.service');

describe('a filling disk', () => {
  it('warns from 80 % on and urgently from 95 %', () => {
    expect(diskWarnings('/srv', 0.7999)).toEqual([]);
    expect(diskWarnings('/srv', 0.8)).toMatchObject([{ urgent: false, text: 'the file system of /srv is 80 % full' }]);
    expect(diskWarnings('/', 0.9499)).toMatchObject([{ urgent: false, text: 'the file system of / is 94 % full' }]);
    expect(diskWarnings('/', 0.95)).toMatchObject([{ urgent: true, text: 'the file system of / is 95 % full' }]);
  });

  it('comes with a hint that fits the disk', () => {
    expect(diskWarnings('/srv', 1)[0]?.hint).toContain('data disk');
    expect(diskWarnings('/', 1)[0]?.hint).toContain('journalctl --vacuum-size');
  });
});

describe('backups', () => {
  const ago = (days: number) => new Date(now.getTime() - days * day);
  const done = (days: number) => ({ at: ago(days).toISOString(), file: '/mnt/a.devserver', bytes: 1, host: 'a' });
  const failed = { at: now.toISOString(), to: '/mnt', why: 'no room' };

  it('are missed after seven days, urgently after four weeks', () => {
    expect(backupWarnings({ done: done(6.9) }, ago(100), now)).toEqual([]);
    expect(backupWarnings({ done: done(7) }, ago(100), now)).toMatchObject([
      { urgent: false, text: 'the last backup is 7 days old' },
    ]);
    expect(backupWarnings({ done: done(28) }, ago(100), now)).toMatchObject([{ urgent: true }]);
    expect(backupWarnings({}, ago(6.9), now)).toEqual([]);
    expect(backupWarnings({}, ago(9.5), now)).toMatchObject([{ urgent: false, text: 'no backup was made in 9 days' }]);
  });

  it('that fail are told until one is done', () => {
    expect(backupWarnings({ done: done(1), failed }, ago(100), now)).toMatchObject([
      {
        urgent: true,
        text: 'the backup of 2026-06-01 to /mnt failed: no room',
        hint: expect.stringContaining('usb-backup') as string,
      },
    ]);
  });
});

describe('a certificate near its end', () => {
  it('warns from 30 days before on and urgently from 7', () => {
    expect(inDays(31)).toEqual([]);
    expect(inDays(30)).toMatchObject([{ urgent: false, text: 'the web certificate expires in 30 days' }]);
    expect(inDays(8)).toMatchObject([{ urgent: false }]);
    expect(inDays(7)).toMatchObject([{ urgent: true, text: 'the web certificate expires in 7 days' }]);
    expect(inDays(-1)).toMatchObject([
      { urgent: true, text: 'the web certificate has expired', hint: expect.stringContaining('front.service') as string },
    ]);
  });
});

describe('findWarnings', () => {
  it('names every failed unit', async () => {
    const stdout = 'one.service loaded failed failed One\ntwo@x.service loaded failed failed Two\n';
    const system = { ...realSystem(), run: async () => ({ stdout, stderr: '', exitCode: 0 }) };
    const urgent = (await findWarnings(applianceCatalogue([]), system)).filter(({ text }) => text.endsWith('has failed'));
    expect(urgent).toEqual([
      { urgent: true, text: 'one.service has failed', hint: 'journalctl -u one.service' },
      { urgent: true, text: 'two@x.service has failed', hint: 'journalctl -u two@x.service' },
    ]);
  });
});
