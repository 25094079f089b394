import { existsSync } from 'node:fs';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { keepLastBackups, lastBackups } from '../backup/last.ts';
import { isDue, isRehearsalDue, keepSchedule, readSchedule, type Schedule } from '../backup/schedule.ts';
import { firstBoot } from '../boot/site.ts';
import { makeBackup, makeUsbBackup } from './backup.ts';
import { requireRoot } from './backup-words.ts';
import type { CommandContext } from './context.ts';
import { rehearse } from './verify-backup.ts';

export interface ScheduleOptions {
  readonly at?: string;
  readonly keep?: string;
  readonly on?: boolean;
  readonly off?: boolean;
}

/** `devserver backup schedule`: shows when the nightly backup is made and where to, and changes it. */
export async function scheduleBackups({ at, keep, on, off }: ScheduleOptions, { result }: CommandContext): Promise<void> {
  requireRoot('backup');
  const before = readSchedule();
  const wanted: Schedule = {
    isOn: on === true ? true : off === true ? false : before.isOn,
    at: at ?? before.at,
    keep: keep === undefined ? before.keep : Number(keep),
  };
  try {
    if (JSON.stringify(wanted) !== JSON.stringify(before)) keepSchedule(wanted);
  } catch {
    throw new UserError('--at is a time such as 01:30, --keep a number from 1 on', { exitCode: exitCodes.usage });
  }
  const { target } = lastBackups();
  const where = target === 'usb' ? 'the backup disk' : target?.folder;
  const text =
    where === undefined
      ? `none yet: make the first one with usb-backup or devserver backup create, then the nightly one goes there at ${wanted.at}`
      : `every night at ${wanted.at} to ${where}, ${wanted.keep} are kept`;
  result(wanted.isOn ? text : 'off: devserver backup schedule --on', { ...wanted, target: target ?? null });
}

/** What devserver-backup.timer starts: the nightly backup, and the rehearsal of a restore, when they are due. */
export async function makeDueBackup(context: CommandContext): Promise<void> {
  const system = requireRoot('backup');
  const [schedule, last] = [readSchedule(), lastBackups()];
  const now = system.now();
  if (existsSync(appliancePaths.restoring)) return context.result('a restore is being looked at', { due: false });
  if (!isDue(schedule, last, now)) {
    if (isRehearsalDue(schedule, last, firstBoot(), now)) return rehearse(context);
    return context.result('nothing is due', { due: false });
  }
  // one that fails is not tried again the same night: it is told
  keepLastBackups({ ...last, tried: now.toISOString() });
  const keep = String(schedule.keep);
  if (last.target === 'usb') return makeUsbBackup({ keep }, context);
  if (last.target !== undefined) await makeBackup({ to: last.target.folder, plain: last.target.plain, keep }, context);
}
