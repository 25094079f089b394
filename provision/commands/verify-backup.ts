import { statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import { totalsOf } from '../../src/kernel/backup/layout.ts';
import { isDiskFull } from '../../src/kernel/disk-full.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { readCatalogue } from '../../src/kernel/read-catalogue.ts';
import { type Report, stage } from '../../src/kernel/report.ts';
import type { System } from '../../src/kernel/system.ts';
import { auditOrTell, openAudit } from '../audit/open-audit.ts';
import { verifyDeeply } from '../backup/deep.ts';
import { until, untilInterrupted } from '../backup/interrupt.ts';
import { keepLastBackups, lastBackups, withVerified } from '../backup/last.ts';
import { alone } from '../backup/lock.ts';
import { backupsIn } from '../backup/names.ts';
import { openedFile } from '../backup/opened.ts';
import { type Verified, verifyBackup } from '../backup/verify.ts';
import { readSite } from '../boot/site.ts';
import { findBackupDisk } from '../usb/find.ts';
import { unmountLeft, withMounted } from '../usb/mounted.ts';
import { describe, isPutOff, megabytes, reportTo, requireFile, requireRoot } from './backup-words.ts';
import type { CommandContext } from './context.ts';

/** A file that passed. */
interface Passed extends Verified {
  /** Programs that looked at what it holds; none, when only its bytes were read. */
  readonly looks: number;
  readonly seconds: number;
}

/** `devserver backup verify FILE`: every byte; with --deep what it holds too. */
export async function checkBackup(
  file: string,
  { key, deep = false }: { key?: string; deep?: boolean },
  { json, result }: CommandContext,
): Promise<void> {
  const system = requireRoot('backup');
  requireFile(file);
  const passed = deep
    ? await alone(() => looked(file, key, system, reportTo(json)))
    : await timed(async () => ({ ...(await verifyBackup(openedFile(file, key))), looks: 0 }));
  // a name alone: of a file that was copied here from elsewhere it says nothing
  if (passed.header.host === readSite().hostname)
    keepLastBackups(withVerified(lastBackups(), file, { deep, bytes: statSync(file).size }, system.now()));
  if (!json) process.stderr.write(`${describe(passed.header)}\n`);
  result(textOf(passed), answerOf(file, passed));
}

/** `devserver backup rehearse`: the newest backup where the last one went is restored into a scratch tree and looked at. */
export async function rehearse({ json, result }: CommandContext): Promise<void> {
  const system = requireRoot('backup');
  const report = reportTo(json);
  const { target } = lastBackups();
  if (target === undefined)
    throw new UserError('there is no backup to rehearse with', { exitCode: exitCodes.usage, hint: 'usb-backup makes one' });
  const { file, passed } = await alone(async () => {
    // whatever becomes of it: it is not begun again and again
    keepLastBackups({ ...lastBackups(), rehearsalTried: system.now().toISOString() });
    if (target !== 'usb') return rehearsed(target.folder, system, report);
    await unmountLeft(system);
    return withMounted(await findBackupDisk(system, 'read'), system, (at) => rehearsed(at, system, report), 'read');
  });
  result(`${path.basename(file)}: ${textOf(passed)}`, answerOf(path.basename(file), passed));
}

/** Tells the status and the audit log how it went. */
async function rehearsed(folder: string, system: System, report: Report): Promise<{ file: string; passed: Passed }> {
  const { hostname: host } = readSite();
  const newest = backupsIn(folder).findLast((it) => it.host === host);
  if (newest === undefined) throw new UserError(`there is no backup of ${host} in ${folder}`, { exitCode: exitCodes.usage });
  const { file, bytes } = newest;
  const told = { who: 'root', what: 'backup rehearse', to: path.basename(file) };
  const about = { file: path.basename(file), at: system.now().toISOString() };
  try {
    const passed = await asDeepAsThereIsRoom(file, system, report);
    const deep = passed.looks > 0;
    const last = withVerified(lastBackups(), file, { deep, bytes }, system.now());
    keepLastBackups({ ...last, rehearsed: { ...about, deep } });
    await auditOrTell(openAudit(), { ...told, result: `done: ${textOf(passed)}` });
    return { file, passed };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // without the names of parts, which every login would see
    const short = error instanceof BackupFault ? (why.split(':')[0] ?? why) : 'it could not be looked at';
    if (!isPutOff(error)) keepLastBackups({ ...lastBackups(), rehearsed: { ...about, deep: true, why: short } });
    await auditOrTell(openAudit(), { ...told, result: `failed: ${why}` });
    throw error;
  }
}

/** The scratch tree takes as much room as the data; without it every byte is read all the same. */
async function asDeepAsThereIsRoom(file: string, system: System, report: Report): Promise<Passed> {
  try {
    if (hasRoom()) return await looked(file, undefined, system, report);
    report({ type: 'warning', text: 'it is read and not restored: the data disk has no room for all of it twice' });
  } catch (error) {
    if (error instanceof BackupFault || !isForRoom(error)) throw error;
    report({ type: 'warning', text: `it is read and not restored: ${error instanceof Error ? error.message : String(error)}` });
  }
  return timed(async () => {
    const value = await stage(report, 'verify', async () => ({ value: await verifyBackup(openedFile(file, undefined)) }));
    return { ...value, looks: 0 };
  });
}

function isForRoom(error: unknown): boolean {
  return isDiskFull(error) || (error instanceof UserError && error.exitCode === exitCodes.machineLacks);
}

/** Whether as much is free as is used, and some more: people go on pushing meanwhile. */
function hasRoom(): boolean {
  const { blocks, bfree, bavail, bsize } = statfsSync('/srv');
  return (blocks - bfree) * bsize * 1.1 + (1 << 30) < bavail * bsize;
}

function looked(file: string, key: string | undefined, system: System, report: Report): Promise<Passed> {
  const signal = untilInterrupted();
  return timed(async () => {
    const archive = until(signal, openedFile(file, key));
    const laidOut = await verifyDeeply({ catalogue: readCatalogue(), system, report, archive, signal });
    return { ...laidOut, ...totalsOf(laidOut.manifest) };
  });
}

async function timed<T>(work: () => Promise<T>): Promise<T & { seconds: number }> {
  const begun = performance.now();
  const value = await work();
  return { ...value, seconds: Math.round(performance.now() - begun) / 1000 };
}

function textOf({ entries, bytes, looks, seconds }: Passed): string {
  const contents = looks === 0 ? '' : `, looked at by ${looks} programs`;
  return `whole: ${entries} files and folders, ${megabytes(bytes)} of content${contents}, in ${seconds.toFixed(1)} s`;
}

function answerOf(file: string, { header, entries, bytes, looks, seconds }: Passed): Record<string, unknown> {
  const { host, cut, appliance, parts } = header;
  return { file, host, cut, release: appliance.release, parts: parts.length, entries, bytes, looks, seconds };
}
