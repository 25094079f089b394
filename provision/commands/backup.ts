import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import { readHeader } from '../../src/kernel/backup/read.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { readCatalogue } from '../../src/kernel/read-catalogue.ts';
import { release } from '../../src/kernel/release.ts';
import type { Report } from '../../src/kernel/report.ts';
import type { System } from '../../src/kernel/system.ts';
import { auditOrTell, openAudit } from '../audit/open-audit.ts';
import { createBackup } from '../backup/create.ts';
import { untilInterrupted } from '../backup/interrupt.ts';
import { applianceKey, disasterRecipient, keepDisasterRecipient, makeDisasterKey } from '../backup/keys.ts';
import { keepLastBackups, type LastBackups, lastBackups, withVerified } from '../backup/last.ts';
import { alone } from '../backup/lock.ts';
import { backupsIn, protectedSuffix } from '../backup/names.ts';
import { openedFile } from '../backup/opened.ts';
import { prunable, prune } from '../backup/prune.ts';
import { verifyBackup } from '../backup/verify.ts';
import { readSite } from '../boot/site.ts';
import { projectsIn } from '../restore/target.ts';
import { findBackupDisk } from '../usb/find.ts';
import { unmountLeft, withMounted } from '../usb/mounted.ts';
import { describe, isPutOff, megabytes, reportTo, requireFile, requireRoot } from './backup-words.ts';
import type { CommandContext } from './context.ts';

/** `devserver backup create`. */
export async function makeBackup(
  { to, plain = false, keep }: { to?: string; plain?: boolean; keep?: string },
  context: CommandContext,
): Promise<void> {
  const system = requireRoot('backup');
  const { target } = lastBackups();
  if (to === undefined && target === 'usb') return makeUsbBackup({ ...(keep === undefined ? {} : { keep }) }, context);
  const { folder, name } = placeOf(to ?? (target === 'usb' ? undefined : target?.folder));
  const report = reportTo(context.json);
  if (plain) report({ type: 'warning', text: 'it will not be encrypted: who has the file has every secret of this appliance' });
  const { text, value } = await recorded(folder, { folder, plain }, system, () =>
    alone(() => writeTo(folder, { plain, keep, name }, system, report, context)),
  );
  context.result(text, value);
}

/** `usb-backup`: onto the disk labelled for it, which can be unplugged afterwards. */
export async function makeUsbBackup({ keep }: { keep?: string }, context: CommandContext): Promise<void> {
  const system = requireRoot('backup usb');
  const report = reportTo(context.json);
  const { text, value } = await recorded('the backup disk', 'usb', system, () =>
    // from the search for the disk on: another one would unmount it under this one
    alone(async () => {
      await unmountLeft(system);
      const disk = await findBackupDisk(system);
      report({ type: 'note', text: `${disk.device} (${disk.fileSystem}) is the backup disk` });
      const made = await withMounted(disk, system, (at) => writeTo(at, { keep }, system, report, context));
      const file = path.basename(made.file);
      return { ...made, file: `${file} on the backup disk`, value: { ...made.value, file, device: disk.device } };
    }),
  );
  context.result(`${text.replace(/^.*\//, '')}\nthe disk may be unplugged`, value);
}

interface Made {
  readonly file: string;
  readonly bytes: number;
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** A folder, or the name of a new file in one. */
function placeOf(to: string | undefined): { folder: string; name?: string } {
  if (to === undefined)
    throw new UserError('where to?', { exitCode: exitCodes.usage, hint: 'devserver backup create --to FOLDER, or usb-backup' });
  const place = path.resolve(to);
  const isFile = place.endsWith('.devserver') && !statSync(place, { throwIfNoEntry: false })?.isDirectory();
  return isFile ? { folder: path.dirname(place), name: path.basename(place) } : { folder: place };
}

/** To be called when no other backup is made meanwhile. */
async function writeTo(
  to: string,
  { plain: isPlain = false, keep, name }: { plain?: boolean; keep?: string | undefined; name?: string | undefined },
  system: System,
  report: Report,
  { api }: CommandContext,
): Promise<Made> {
  const { hostname: host } = readSite();
  const count = keep === undefined ? undefined : keptCount(keep);
  const signal = untilInterrupted();
  const options = { catalogue: readCatalogue(), api, system, report, to, name, host, release, isPlain, signal };
  const { file, bytes, pause, verified } = await createBackup(options);
  const { entries, header } = verified;
  // this one was verified a moment ago
  for (const old of count === undefined ? [] : prune(to, host, count)) report({ type: 'note', text: `deleted ${old.file}` });
  return {
    ...{ file, bytes },
    text: `${file}: ${megabytes(bytes)}, ${entries} files and folders of ${header.parts.length} parts, verified`,
    value: {
      file,
      bytes,
      pause,
      entries,
      content: verified.bytes,
      parts: header.parts.length,
      cut: header.cut,
      consistent: header.consistent,
    },
  };
}

/** Tells the audit log and the status how it went. */
async function recorded(to: string, target: LastBackups['target'], system: System, work: () => Promise<Made>): Promise<Made> {
  const audit = openAudit();
  const told = { who: 'root', what: 'backup create', to };
  try {
    const made = await work();
    const { failed: _failed, ...last } = lastBackups();
    keepLastBackups({
      ...withVerified(last, made.file, { deep: false, bytes: made.bytes }, system.now()),
      target,
      done: { at: system.now().toISOString(), file: made.file, bytes: made.bytes, host: readSite().hostname },
    });
    await auditOrTell(audit, { ...told, to: made.file, result: `done: ${made.bytes} bytes, verified` });
    return made;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (!isPutOff(error)) keepLastBackups({ ...lastBackups(), failed: { at: system.now().toISOString(), to, why } });
    await auditOrTell(audit, { ...told, result: `failed: ${why}` });
    throw error;
  }
}

/** `devserver backup show FILE`: what it says of itself; nothing is checked. */
export async function showBackup(file: string, { key }: { key?: string }, { result }: CommandContext): Promise<void> {
  requireRoot('backup');
  requireFile(file);
  const header = await readHeader(openedFile(file, key));
  const projects = projectsIn(header.parts);
  result(`${describe(header)}\n${projects.length} projects: ${projects.join(', ')}`, { file, ...header, projects });
}

/** `devserver backup list FOLDER`: the backups in a folder, by their names. */
export async function listBackups(folder: string, _: object, { result }: CommandContext): Promise<void> {
  const files = backupsIn(existingFolder(folder));
  const { verified = {} } = lastBackups();
  // of another file that has its name it says nothing
  const readOf = ({ file, bytes }: { file: string; bytes: number }) => {
    const read = verified[path.basename(file)];
    return read === undefined || read.bytes !== bytes ? null : read;
  };
  const shown = files.map((it) => ({ ...it, verified: readOf(it) }));
  const lines = shown.map(({ file, bytes, isProtected, verified: read }) => {
    const when = read === null ? '' : `  verified ${read.at.slice(0, 10)}${read.deep ? ', contents too' : ''}`;
    return `${file}  ${megabytes(bytes)}${when}${isProtected ? '  protected' : ''}`;
  });
  result(lines.length === 0 ? 'no backups' : lines.join('\n'), shown);
}

/** `devserver backup prune FOLDER`: keeps the newest ones, of which the newest is read from the medium first. */
export async function pruneBackups(
  folder: string,
  { keep = '7', key }: { keep?: string; key?: string },
  { json, result }: CommandContext,
): Promise<void> {
  requireRoot('backup');
  const { hostname: host } = readSite();
  const count = keptCount(keep);
  await alone(async () => {
    const there = backupsIn(existingFolder(folder));
    const newest = there.findLast((it) => it.host === host);
    if (newest === undefined || prunable(there, host, count).length === 0) return result('nothing to delete', { deleted: [] });
    if (!json) process.stderr.write(`reading ${newest.file}: nothing is deleted unless it is whole\n`);
    await verifyBackup(openedFile(newest.file, key));
    const gone = prune(folder, host, count).map(({ file }) => file);
    await auditOrTell(openAudit(), { who: 'root', what: 'backup prune', to: folder, result: `done: ${gone.length} deleted` });
    result(gone.map((file) => `deleted ${file}`).join('\n'), { deleted: gone });
  });
}

/** `devserver backup protect FILE`: it is not deleted by itself any more, or again. */
export async function protectBackup(file: string, { off = false }: { off?: boolean }, { result }: CommandContext): Promise<void> {
  requireRoot('backup');
  requireFile(file);
  const marker = `${file}${protectedSuffix}`;
  if (off) rmSync(marker, { force: true });
  else writeFileAtomically(marker, '', 0o600);
  result(`${file} is ${off ? 'no longer ' : ''}protected`, { file, protected: !off });
}

function existingFolder(folder: string): string {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder;
  throw new UserError(`${folder} is no folder`, { exitCode: exitCodes.usage });
}

function keptCount(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UserError(`--keep ${text}: how many are kept is a number from 1 on`, { exitCode: exitCodes.usage });
}

/** `devserver backup key`: to whom backups are encrypted; `--new` makes another key for when the machine is gone. */
export async function showKey({ new: isNew = false }: { new?: boolean }, { json, result }: CommandContext): Promise<void> {
  const system = requireRoot('backup');
  const appliance = await applianceKey(system);
  if (!isNew) {
    const disaster = disasterRecipient();
    const shown = disaster ?? 'none: devserver backup key --new';
    return result(`this appliance: ${appliance}\nwhen it is gone: ${shown}`, { appliance, disaster: disaster ?? null });
  }
  const { secret, recipient } = await makeDisasterKey(system);
  await auditOrTell(openAudit(), { who: 'root', what: 'backup key --new', to: recipient, result: 'done' });
  if (!json)
    process.stderr.write(
      'The next line opens the backups made from now on when this machine is gone. It is shown once and kept nowhere:\nwrite it down, and keep it where the machine is not.\n',
    );
  result(secret, { appliance, disaster: recipient, secret });
  keepDisasterRecipient(recipient);
}
