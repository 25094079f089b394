import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import type { System } from '../../src/kernel/system.ts';
import { type KeptAuthority, keptAuthorities } from '../authorities/store.ts';
import { type LastBackups, lastBackups } from '../backup/last.ts';
import { firstBoot } from '../boot/site.ts';
import { type RestoreOffer, readOffer } from '../restore/offer.ts';

/** Something an administrator should know; `urgent` before anything breaks. */
export interface Warning {
  readonly urgent: boolean;
  readonly text: string;
  readonly hint: string;
}

/** What needs attention: failed units, filling disks, certificates near their end. */
export async function findWarnings(catalogue: ApplianceCatalogue, system: System): Promise<Warning[]> {
  return [
    ...(await failedUnits(system)),
    ...['/', '/srv'].flatMap((at) => diskWarnings(at, usedShare(at))),
    ...certificateWarnings(catalogue, system.now()),
    ...authorityWarnings(keptAuthorities(), system.now()),
    ...backupWarnings(lastBackups(), firstBoot(), system.now()),
    ...rehearsalWarnings(lastBackups()),
    ...offerWarnings(readOffer(hasProjects())),
  ];
}

/** A warning from 80 % on, an urgent one from 95 %. */
export function diskWarnings(at: string, used: number): Warning[] {
  if (used < 0.8) return [];
  const percent = Math.floor(used * 100);
  const hint =
    at === '/srv' ? 'enlarge the data disk or remove what is no longer needed' : 'journalctl --vacuum-size=200M, apt-get clean';
  return [{ urgent: used >= 0.95, text: `the file system of ${at} is ${percent} % full`, hint }];
}

/** A warning from 30 days before the end on, an urgent one from 7. */
export function expiryWarnings(validTo: Date, now: Date, service: string): Warning[] {
  const days = daysLeft(validTo, now);
  if (days > 30) return [];
  const text = days < 0 ? 'the web certificate has expired' : `the web certificate expires in ${days} days`;
  return [{ urgent: days <= 7, text, hint: `systemctl restart devserver-boot && systemctl reload ${service}` }];
}

/** The same for the site's own authorities, and for files that hold none. */
export function authorityWarnings(kept: readonly KeptAuthority[], now: Date): Warning[] {
  return kept.flatMap(({ name, file, certificates, faults }) => [
    ...faults.map((fault) => ({
      urgent: false,
      text: `the authority ${name} is not trusted: ${fault}`,
      hint: `look at ${file}`,
    })),
    ...certificates.flatMap(({ validTo }): Warning[] => {
      const days = daysLeft(validTo, now);
      if (days > 30) return [];
      const text = days < 0 ? `the authority ${name} has expired` : `the authority ${name} expires in ${days} days`;
      const hint = days < 0 ? `devserver authority remove ${name}` : 'devserver authority add FILE with the one that follows it';
      return [{ urgent: days <= 7, text, hint }];
    }),
  ]);
}

/** Days without a backup after which it is told. */
const mostDays = 7;

/** A backup on a disk that is plugged in, where nobody has made a project yet. */
export function offerWarnings(offer: RestoreOffer | undefined): Warning[] {
  if (offer === undefined) return [];
  const text = `a backup of ${offer.host} lies on the disk ${offer.device}: ${offer.file}`;
  return [{ urgent: false, text, hint: 'devserver restore --usb takes it back' }];
}

/** A rehearsal of a restore that failed. */
export function rehearsalWarnings({ rehearsed }: LastBackups): Warning[] {
  if (rehearsed?.why === undefined) return [];
  // every login sees it: which projects it is about is for root
  const text = `the backup ${rehearsed.file} did not pass when its restore was rehearsed: ${rehearsed.why}`;
  return [{ urgent: true, text, hint: 'devserver backup rehearse tells what of it' }];
}

/** A backup that failed, and none for days; `since` is the day from which on one could have been made. */
export function backupWarnings({ done, failed }: LastBackups, since: Date, now: Date): Warning[] {
  const hint = 'usb-backup, or devserver backup create --to FOLDER';
  if (failed !== undefined)
    return [{ urgent: true, text: `the backup of ${failed.at.slice(0, 10)} to ${failed.to} failed: ${failed.why}`, hint }];
  const last = done === undefined ? since : new Date(done.at);
  const days = Math.floor((now.getTime() - last.getTime()) / 86_400_000);
  if (days < mostDays) return [];
  const text = done === undefined ? `no backup was made in ${days} days` : `the last backup is ${days} days old`;
  return [{ urgent: days >= 4 * mostDays, text, hint }];
}

function hasProjects(): boolean {
  const folder = path.join(appliancePaths.system, 'devserverd/projects');
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.yaml'));
}

async function failedUnits(system: System): Promise<Warning[]> {
  const { stdout } = await system.run(
    { file: 'systemctl', args: ['list-units', '--state=failed', '--plain', '--no-legend'], timeout: 20_000 },
    { accept: 'any' },
  );
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((unit) => unit !== '')
    .map((unit) => ({ urgent: true, text: `${unit} has failed`, hint: `journalctl -u ${unit}` }));
}

function certificateWarnings(catalogue: ApplianceCatalogue, now: Date): Warning[] {
  const file = String(catalogue.roles.web?.certificate ?? '');
  if (!existsSync(file)) return [];
  const front = catalogue.components.find(({ provides }) => provides.includes('web'));
  return expiryWarnings(new Date(new X509Certificate(readFileSync(file)).validTo), now, front?.services[0] ?? 'its service');
}

function daysLeft(validTo: Date, now: Date): number {
  return Math.floor((validTo.getTime() - now.getTime()) / 86_400_000);
}

/** Used share, 0 to 1, of what ordinary accounts may fill. */
function usedShare(at: string): number {
  const { blocks, bfree, bavail } = statfsSync(at);
  const used = blocks - bfree;
  return used + bavail === 0 ? 0 : used / (used + bavail);
}
