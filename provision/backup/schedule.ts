import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import type { LastBackups } from './last.ts';

/** Of this machine, as the record of the last backups is. */
export const scheduleFile = path.join(appliancePaths.system, 'backup-schedule.json');

const schema = z.object({
  isOn: z.boolean().default(true),
  /** Local time from which on the nightly one is due. */
  at: z
    .string()
    .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'is a time such as 01:30')
    .default('01:30'),
  /** How many stay. */
  keep: z.int().min(1).max(9999).default(7),
});
export type Schedule = Readonly<z.output<typeof schema>>;

/** The schedule, which is on unless somebody turned it off; what can't be read counts as nothing said. */
export function readSchedule(file = scheduleFile): Schedule {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return schema.parse({});
  }
}

/** Keeps it. @throws ZodError for what is none. */
export function keepSchedule(schedule: Schedule, file = scheduleFile): void {
  writeFileAtomically(file, `${JSON.stringify(schema.parse(schedule))}\n`, 0o644);
}

const day = 86_400_000;
/** Hours from the nightly backup's time on in which a rehearsal disturbs nobody. */
const quietHours = 6;

/** Whether a restore is to be rehearsed: in the night a week after the last time, at any time after two. `since`: the first boot. */
export function isRehearsalDue(
  { isOn, at }: Schedule,
  { target, done, rehearsed, rehearsalTried }: LastBackups,
  since: Date,
  now: Date,
): boolean {
  if (!isOn || target === undefined || done === undefined) return false;
  // one that was cut short, or could not be begun, waits a day
  if (rehearsalTried !== undefined && now.getTime() - Date.parse(rehearsalTried) < day) return false;
  const days = (now.getTime() - (rehearsed === undefined ? since.getTime() : Date.parse(rehearsed.at))) / day;
  const from = todayAt(at, now);
  const hours = (((now.getTime() - from.getTime() + day) % day) / day) * 24;
  // a little less than a week, so that it does not come later by minutes each time
  return (days >= 6.5 && hours < quietHours) || days >= 14;
}

/** Whether a night's backup is to be made now: once a day from its time on, where one was made before and nobody was quicker. */
export function isDue({ isOn, at }: Schedule, { target, done, tried }: LastBackups, now: Date): boolean {
  if (!isOn || target === undefined) return false;
  const from = todayAt(at, now);
  if (from > now) return false;
  const last = [done?.at, tried].flatMap((it) => (it === undefined ? [] : [Date.parse(it)]));
  return last.every((it) => it < from.getTime());
}

function todayAt(time: string, now: Date): Date {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const moment = new Date(now);
  moment.setHours(hour, minute, 0, 0);
  return moment;
}
