import { existsSync } from 'node:fs';
import path from 'node:path';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { ask } from '../../src/kernel/ask.ts';
import { isEncrypted } from '../../src/kernel/backup/envelope.ts';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import { readHeader } from '../../src/kernel/backup/read.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { Report } from '../../src/kernel/report.ts';
import type { System } from '../../src/kernel/system.ts';
import { alone } from '../backup/lock.ts';
import { type NamedBackup, newestFirst, newestIn } from '../backup/names.ts';
import { openedFile } from '../backup/opened.ts';
import { terminal } from '../command-table.ts';
import { patiently } from '../projects/undo.ts';
import { dropOffer, keepOffer } from '../restore/offer.ts';
import { readRecord } from '../restore/record.ts';
import { type BackupDisk, findBackupDisk } from '../usb/find.ts';
import { unmountLeft, withMounted } from '../usb/mounted.ts';
import { makeUsbBackup } from './backup.ts';
import { reportTo, requireRoot } from './backup-words.ts';
import type { CommandContext } from './context.ts';
import { type Confirm, isForRestart, type RestoreOptions, restart, restoreFile } from './restore.ts';
import { withKeyFile } from './restore-key.ts';

/** Of the first boot: the secret half of a key, which takes back the newest backup on the disk without anybody. */
const keyCredential = 'devserver.restore-key';

/**
 * What devserver-usb-backup.service does when a backup disk is plugged in: writes a backup; or, in an appliance that has nothing
 * yet, offers the newest one on it, and takes it back by itself when its key was given.
 */
export async function diskPluggedIn(context: CommandContext): Promise<void> {
  const system = requireRoot('backup usb');
  const phase = readRecord(appliancePaths.restore)?.phase;
  // what is on trial may not stay, and would be the newest on the disk
  if (phase !== undefined && phase !== 'done' && phase !== 'returned')
    return context.result('a restore is under way: nothing is written (devserver restore --show)', { written: false });
  if (!(await isEmpty(context))) return makeUsbBackup({}, context);
  const key = keyFile(process.env.CREDENTIALS_DIRECTORY);
  const found = await onDisk(system, async (folder, disk) => {
    if (phase !== undefined) return undefined;
    const newest = await newestFor(key, folder, reportTo(context.json));
    if (newest === undefined) return undefined;
    const name = path.basename(newest.file);
    if (key === undefined) keepOffer({ file: name, host: newest.host, device: disk.device });
    else await restoreFile(newest.file, { key, yes: true, requireFresh: () => isFresh(context) }, context, async () => true);
    return name;
  });
  if (found === undefined) {
    const what = key === undefined || phase !== undefined ? '' : ', and the key opens none of the backups on the disk';
    return context.result(`there are no projects yet${what}: nothing is written (usb-backup does)`, { written: false });
  }
  if (key !== undefined) return restart(system);
  context.result(`${found} lies on the disk; to take it back: devserver restore --usb`, { written: false, offered: found });
}

/** No project, and none that was deleted. */
async function isEmpty({ api }: CommandContext): Promise<boolean> {
  const counts = await Promise.all(['/projects', '/deleted'].map((of) => api.get<readonly unknown[]>(of)));
  return counts.every(({ length }) => length === 0);
}

/** Whether nobody has made anything yet, and there is nobody but the first administrator. */
async function isFresh(context: CommandContext): Promise<boolean> {
  if (!(await isEmpty(context))) return false;
  // the directory may be starting
  const people = await patiently(() => context.api.get<readonly unknown[]>('/users'), 1_800_000);
  return people.length <= 1;
}

/** The newest one; with a key the newest that it opens: another server's may lie beside it. One that is not encrypted is nobody's in particular. */
async function newestFor(key: string | undefined, folder: string, report: Report): Promise<NamedBackup | undefined> {
  if (key === undefined) return newestIn(folder);
  for (const it of newestFirst(folder)) {
    try {
      if (!isEncrypted(it.file)) continue;
      await readHeader(openedFile(it.file, key));
      return it;
    } catch (error) {
      // a damaged one, or a disk that can't be read, is no reason to go back to an older state
      if (!(error instanceof BackupFault && error.reason === 'locked')) throw error;
      report({ type: 'note', text: `${path.basename(it.file)} is passed over: ${error.message}` });
    }
  }
  return undefined;
}

/** `devserver restore --usb`: the newest backup on the labelled disk that the key opens. */
export async function restoreFromUsb(options: RestoreOptions, context: CommandContext, confirm: Confirm): Promise<void> {
  const system = requireRoot('restore');
  const askKey = terminal && options.yes !== true ? askForKey : undefined;
  await withKeyFile(options.key, askKey, (key) =>
    onDisk(system, async (folder, { device }) => {
      const newest = await newestFor(key, folder, reportTo(context.json));
      if (newest === undefined)
        throw new UserError(`there is no backup on ${device}${key === undefined ? '' : ' that this key opens'}`, {
          ...{ exitCode: exitCodes.usage, hint: 'devserver restore FILE' },
        });
      await restoreFile(newest.file, { ...options, key }, context, confirm);
    }),
  );
  if (options.dryRun === true || options.project !== undefined) return;
  dropOffer();
  if (isForRestart(options)) await restart(system);
}

function askForKey(): Promise<string> {
  return ask({
    ...{ id: 'key', flag: 'key', kind: 'secret', default: '' },
    message: "The disaster key, a line beginning with AGE-SECRET-KEY-1; empty: this appliance's own",
  }) as Promise<string>;
}

/** Does something with what lies on the labelled disk, while no backup is made and nothing restored. */
function onDisk<T>(system: System, work: (folder: string, disk: BackupDisk) => Promise<T>): Promise<T> {
  return alone(async () => {
    await unmountLeft(system);
    const disk = await findBackupDisk(system, 'read');
    return withMounted(disk, system, (folder) => work(folder, disk), 'read');
  });
}

function keyFile(credentials: string | undefined): string | undefined {
  if (credentials === undefined) return undefined;
  const file = path.join(credentials, keyCredential);
  return existsSync(file) ? file : undefined;
}
