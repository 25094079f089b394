import { existsSync } from 'node:fs';
import path from 'node:path';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { ask } from '../../src/kernel/ask.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { System } from '../../src/kernel/system.ts';
import { alone } from '../backup/lock.ts';
import { newestIn } from '../backup/names.ts';
import { terminal } from '../command-table.ts';
import { dropOffer, keepOffer } from '../restore/offer.ts';
import { readRecord } from '../restore/record.ts';
import { type BackupDisk, findBackupDisk } from '../usb/find.ts';
import { unmountLeft, withMounted } from '../usb/mounted.ts';
import { makeUsbBackup } from './backup.ts';
import { requireRoot } from './backup-words.ts';
import type { CommandContext } from './context.ts';
import { type Confirm, isForRestart, type RestoreOptions, restart, restoreFile } from './restore.ts';
import { withKeyFile } from './restore-key.ts';

/** Of the first boot: the secret half of a key, which takes back the newest backup on the disk without anybody. */
const keyCredential = 'devserver.restore-key';

/**
 * What devserver-usb-backup.service does when a backup disk is plugged in: writes a backup; or, where there are no projects
 * yet and nothing was ever restored, offers the newest one on it, and takes it back by itself when its key was given.
 */
export async function diskPluggedIn(context: CommandContext): Promise<void> {
  const system = requireRoot('backup usb');
  const isFresh = (await context.api.get<readonly unknown[]>('/projects')).length === 0;
  if (!isFresh) return makeUsbBackup({}, context);
  const key = keyFile(process.env.CREDENTIALS_DIRECTORY);
  const wasRestored = readRecord(appliancePaths.restore) !== undefined;
  const found = await onDisk(system, async (folder, disk) => {
    const newest = newestIn(folder);
    if (newest === undefined || wasRestored) return undefined;
    const name = path.basename(newest.file);
    if (key === undefined) keepOffer({ file: name, host: newest.host, device: disk.device });
    else await restoreFile(newest.file, { key, yes: true }, context, async () => true);
    return name;
  });
  if (found === undefined)
    return context.result('there are no projects yet: nothing is written (usb-backup does)', { written: false });
  if (key !== undefined) return restart(system);
  context.result(`${found} lies on the disk; to take it back: devserver restore --usb`, { written: false, offered: found });
}

/** `devserver restore --usb`: the newest backup on the labelled disk. */
export async function restoreFromUsb(options: RestoreOptions, context: CommandContext, confirm: Confirm): Promise<void> {
  const system = requireRoot('restore');
  await withKeyFile(options.key, terminal ? askForKey : undefined, (key) =>
    onDisk(system, async (folder, { device }) => {
      const newest = newestIn(folder);
      if (newest === undefined)
        throw new UserError(`there is no backup on ${device}`, { exitCode: exitCodes.usage, hint: 'devserver restore FILE' });
      await restoreFile(newest.file, { ...options, key }, context, confirm);
    }),
  );
  dropOffer();
  if (isForRestart(options)) await restart(system);
}

function askForKey(): Promise<string> {
  return ask({
    ...{ id: 'key', flag: 'key', kind: 'secret', default: '' },
    message: "The disaster key, a line beginning with AGE-SECRET-KEY-1; empty: this appliance's own",
  }) as Promise<string>;
}

/** Does something with the labelled disk, which is mounted meanwhile; when no backup is made and nothing restored. */
function onDisk<T>(system: System, work: (folder: string, disk: BackupDisk) => Promise<T>): Promise<T> {
  return alone(async () => {
    await unmountLeft(system);
    const disk = await findBackupDisk(system);
    return withMounted(disk, system, (folder) => work(folder, disk));
  });
}

function keyFile(credentials: string | undefined): string | undefined {
  if (credentials === undefined) return undefined;
  const file = path.join(credentials, keyCredential);
  return existsSync(file) ? file : undefined;
}
