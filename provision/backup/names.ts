import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';

const suffix = '.devserver';
/** While it is written. */
export const partialSuffix = '.partial';
/** A file of this name beside a backup keeps it from being deleted. */
export const protectedSuffix = '.protected';

const pattern = /^([a-z0-9.-]+)-\d{8}T\d{6}Z\.devserver$/;

/** `HOST-YYYYMMDDTHHMMSSZ.devserver`. Names of one host sort by time. */
export function backupName(host: string, moment: Date): string {
  return `${host}-${moment.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z${suffix}`;
}

/** Of an earlier run of this host that was killed. */
export function isPartial(name: string, host: string): boolean {
  return name.startsWith(`${host}-`) && name.endsWith(`${suffix}${partialSuffix}`);
}

/** A backup in a folder, by its name: what it says of itself is not looked at. */
export interface NamedBackup {
  readonly file: string;
  readonly host: string;
  readonly bytes: number;
  readonly isProtected: boolean;
}

/** The newest backup in a folder, of whichever host. */
export function newestIn(folder: string): NamedBackup | undefined {
  return newestFirst(folder)[0];
}

/** The backups in a folder, of all hosts, from the newest to the oldest. */
export function newestFirst(folder: string): NamedBackup[] {
  const momentOf = ({ file }: NamedBackup): string => /-(\d{8}T\d{6}Z)\.devserver$/.exec(file)?.[1] ?? '';
  return backupsIn(folder).sort((a, b) => (momentOf(a) < momentOf(b) ? 1 : -1));
}

/** The backups in a folder, of each host from the oldest to the newest. */
export function backupsIn(folder: string): NamedBackup[] {
  const names = readdirSync(folder).sort();
  return names.flatMap((name) => {
    const host = pattern.exec(name)?.[1];
    if (host === undefined) return [];
    const file = path.join(folder, name);
    // on a disk that may be anybody's
    const seen = lstatSync(file);
    if (!seen.isFile()) return [];
    return [{ file, host, bytes: seen.size, isProtected: names.includes(`${name}${protectedSuffix}`) }];
  });
}
