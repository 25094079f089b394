import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LastBackups, withVerified } from '../../../provision/backup/last.ts';
import { isDue, isRehearsalDue, keepSchedule, readSchedule } from '../../../provision/backup/schedule.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const schedule = { isOn: true, at: '01:30', keep: 7 };
/** Local, as schedules are. */
const at = (day: number, hour: number, minute = 0): Date => new Date(2026, 5, day, hour, minute);
const last = (when: Date | undefined, more: LastBackups = {}): LastBackups => ({
  target: 'usb',
  ...(when === undefined ? {} : { done: { at: when.toISOString(), file: 'f', bytes: 1, host: 'a' } }),
  ...more,
});

describe('the nightly backup', () => {
  it('is due once a night from its time on, however late the machine is on', () => {
    expect(isDue(schedule, last(at(1, 12)), at(2, 1, 29))).toBe(false);
    expect(isDue(schedule, last(at(1, 12)), at(2, 1, 30))).toBe(true);
    expect(isDue(schedule, last(at(1, 12)), at(4, 9))).toBe(true);
    expect(isDue(schedule, last(at(2, 1, 31)), at(2, 23))).toBe(false);
    expect(isDue(schedule, last(at(2, 1, 31)), at(3, 1, 30))).toBe(true);
  });

  it('that failed is not tried again the same night', () => {
    const tried = { tried: at(2, 1, 30).toISOString() };
    expect(isDue(schedule, last(at(1, 12), tried), at(2, 2))).toBe(false);
    expect(isDue(schedule, last(at(1, 12), tried), at(3, 1, 30))).toBe(true);
  });

  it('is none where nobody made a first one, or turned it off', () => {
    expect(isDue(schedule, {}, at(2, 2))).toBe(false);
    expect(isDue({ ...schedule, isOn: false }, last(at(1, 12)), at(2, 2))).toBe(false);
  });

  it('has a schedule that is kept, and one where none was said', () => {
    const file = path.join(folder, 'schedule.json');
    expect(readSchedule(file)).toEqual(schedule);
    keepSchedule({ ...schedule, at: '23:59', keep: 3 }, file);
    expect(readSchedule(file)).toEqual({ isOn: true, at: '23:59', keep: 3 });
    for (const wrong of [{ at: '24:00' }, { at: '1:30' }, { keep: 0 }, { keep: Number.NaN }])
      expect(() => keepSchedule({ ...schedule, ...wrong }, file)).toThrow();
    writeFileSync(file, 'nonsense');
    expect(readSchedule(file)).toEqual(schedule);
  });
});

describe('the rehearsal of a restore', () => {
  const since = at(1, 12);
  const rehearsed = (when: Date): LastBackups => last(at(9, 2), { rehearsed: { at: when.toISOString(), file: 'f', deep: true } });

  it('is due in the night a week later, and at any time after two', () => {
    expect(isRehearsalDue(schedule, rehearsed(at(2, 2)), since, at(8, 1))).toBe(false);
    expect(isRehearsalDue(schedule, rehearsed(at(2, 2)), since, at(8, 2))).toBe(false);
    expect(isRehearsalDue(schedule, rehearsed(at(2, 2)), since, at(9, 1, 45))).toBe(true);
    expect(isRehearsalDue(schedule, rehearsed(at(2, 2)), since, at(9, 12))).toBe(false);
    expect(isRehearsalDue(schedule, rehearsed(at(2, 2)), since, at(16, 12))).toBe(true);
    const tried = { ...rehearsed(at(2, 2)), rehearsalTried: at(9, 1, 30).toISOString() };
    expect([isRehearsalDue(schedule, tried, since, at(9, 2)), isRehearsalDue(schedule, tried, since, at(10, 2))]).toEqual([
      ...[false, true],
    ]);
    // late in the evening: the night goes on behind midnight
    expect(isRehearsalDue({ ...schedule, at: '22:00' }, rehearsed(at(2, 2)), since, at(10, 3))).toBe(true);
  });

  it('comes first a week after the first boot, and never where no backup is made by itself', () => {
    expect(isRehearsalDue(schedule, last(at(2, 2)), since, at(2, 2))).toBe(false);
    expect(isRehearsalDue(schedule, last(at(8, 2)), since, at(9, 2))).toBe(true);
    expect(isRehearsalDue(schedule, {}, since, at(20, 2))).toBe(false);
    expect(isRehearsalDue({ ...schedule, isOn: false }, last(at(8, 2)), since, at(20, 2))).toBe(false);
  });
});

describe('when a file was read to its end', () => {
  it('is kept by its name, of the newest ones', () => {
    let record: LastBackups = withVerified({}, '/mnt/first', { deep: true, bytes: 5 }, at(1, 1));
    expect(record.verified).toEqual({ first: { at: at(1, 1).toISOString(), deep: true, bytes: 5 } });
    // read again it stays looked at; another file of that name does not
    const deep = (bytes: number): unknown =>
      withVerified(record, 'first', { deep: false, bytes }, at(1, 2)).verified?.first?.deep;
    expect([deep(5), deep(6)]).toEqual([true, false]);
    for (let count = 0; count < 600; count += 1)
      record = withVerified(record, `f${count}`, { deep: false, bytes: 1 }, at(2, 1, count));
    expect(Object.keys(record.verified ?? {})).toHaveLength(500);
    expect(record.verified).not.toHaveProperty('first');
    expect(record.verified).toHaveProperty('f599');
  });
});
