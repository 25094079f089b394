import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { syncDirectory } from '../../src/kernel/atomic-file.ts';
import { closeEnvelope } from '../../src/kernel/backup/envelope.ts';
import { type BackupHeader, backupFormat } from '../../src/kernel/backup/layout.ts';
import { writeBackup } from '../../src/kernel/backup/write.ts';
import type { Api } from '../../src/kernel/client/api.ts';
import { isDiskFull } from '../../src/kernel/disk-full.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { type Report, stage } from '../../src/kernel/report.ts';
import type { System } from '../../src/kernel/system.ts';
import { openSpecifications } from '../projects/specifications.ts';
import { type Cut, dumpsOf, specificationsIn, withCut } from './cut.ts';
import { entriesOf, type PlacedPart } from './entries.ts';
import { orInterrupted, until } from './interrupt.ts';
import { applianceKey, disasterRecipient } from './keys.ts';
import { backupName, isPartial, partialSuffix } from './names.ts';
import { openedFile } from './opened.ts';
import { type Part, partsOf } from './parts.ts';
import { fits, requireRoom, roomIn } from './room.ts';
import { type Verified, verifyBackup } from './verify.ts';
import { startWarmer, warmed } from './warm.ts';
import { written } from './written.ts';

const level = 3;

export interface CreateOptions {
  readonly catalogue: ApplianceCatalogue;
  readonly api: Api;
  readonly system: System;
  readonly report: Report;
  /** An existing folder. */
  readonly to: string;
  /** Of the file in it; otherwise host and moment. */
  readonly name?: string | undefined;
  readonly host: string;
  readonly release: string;
  readonly isPlain: boolean;
  /** Ends it, leaving nothing. */
  readonly signal: AbortSignal;
}

export interface Created {
  readonly file: string;
  readonly bytes: number;
  /** Seconds for which jobs were held. */
  readonly pause: number;
  readonly verified: Verified;
}

/**
 * Writes a backup of the whole appliance into a folder and reads it back from the medium. Its name appears there when it is
 * whole and verified, and not before; nothing of one that fails is left. To be called by whoever is `alone` (lock.ts).
 */
export async function createBackup(options: CreateOptions): Promise<Created> {
  const { catalogue, api, system, report, to, name, host, isPlain, signal } = options;
  if (!statSync(to, { throwIfNoEntry: false })?.isDirectory())
    throw new UserError(`${to} is no folder`, { exitCode: exitCodes.usage });
  dropPartial(to, host, name);
  const disaster = disasterRecipient();
  const recipients = isPlain ? [] : [await applianceKey(system), ...(disaster === undefined ? [] : [disaster])];
  if (!isPlain && disaster === undefined)
    report({
      type: 'warning',
      text: 'only this appliance can open it: devserver backup key --new makes a key for when it is gone',
    });
  // names count seconds
  while (name === undefined && existsSync(path.join(to, backupName(host, system.now())))) await sleep(50);
  return withCut({ catalogue, api, system, signal }, async (cut) => {
    report({ type: 'note', text: pauseText(cut) });
    for (const place of cut.leftOut)
      report({ type: 'warning', text: `its path is too long to be copied: ${place.slice(0, 200)}…` });
    for (const { project, job } of cut.open)
      report({
        type: 'warning',
        text: `of ${project} it may hold a part only: an earlier change is not ended (devserver job show ${job})`,
      });
    const projects = openSpecifications(specificationsIn(cut));
    for (const [name, why] of projects.damaged)
      report({ type: 'warning', text: `${name} is not in it: its specification can't be read: ${why}` });
    const parts = partsOf(catalogue, projects.all());
    const named = new Map(parts.map((part) => [part.name, part]));
    const dumps = await stage(report, 'dumps', async () => ({ value: await dumpsOf(catalogue, parts, cut) }));
    const file = freeFile(path.join(to, name ?? backupName(host, cut.moment)));
    const partial = `${file}${partialSuffix}`;
    const warmer = startWarmer();
    try {
      const open = (name: string): PlacedPart =>
        entriesOf(named.get(name) as Part, (root) => dumps.get(root) ?? cut.placeOf(root.place));
      const content = contentOf(parts, open);
      const openWarmed = (name: string): PlacedPart => {
        const { entries, leftOut } = open(name);
        return { entries: warmed(entries, warmer), leftOut };
      };
      const stream = (name: string): AsyncIterable<Uint8Array> => {
        const onBytes = progressOf(report, name, content.bytes);
        const archive = writeBackup({ header: headerOf(options, cut, parts), pause: cut.pause, open: openWarmed, onBytes });
        return until(signal, closeEnvelope(archive, { level, recipients }));
      };
      const room = roomIn(to);
      // only where it may be too long even compressed
      if (!fits(room, content.most))
        requireRoom(room, await stage(report, 'measure', async () => ({ value: await lengthOf(stream('measure')) })), to);
      const bytes = await stage(report, 'write', async () => {
        const value = await written(partial, stream('write'));
        return { value, outcome: { bytes: value } };
      });
      const verified = await stage(report, 'verify', async () => ({
        value: await verifyBackup(until(signal, openedFile(partial, undefined))),
      }));
      renameSync(partial, file);
      syncDirectory(to);
      return { file, bytes, pause: cut.pause, verified };
    } catch (error) {
      throw explained(orInterrupted(signal, error), to);
    } finally {
      rmSync(partial, { force: true });
      await warmer.close();
    }
  });
}

function pauseText({ pause, consistent }: Cut): string {
  const seconds = `${pause.toFixed(2)} s`;
  if (consistent === 'snapshot') return `jobs waited ${seconds} for the cut`;
  return `everything stood still for ${seconds}, until the data was copied: /srv is on no data disk that can make snapshots`;
}

function headerOf(
  { catalogue, host, release }: CreateOptions,
  { moment, accounts, consistent }: Cut,
  parts: readonly Part[],
): BackupHeader {
  const named = new Set(parts.map(({ component }) => component));
  const formats = catalogue.components.flatMap(({ name, backup }): [string, { format: number }][] =>
    backup !== undefined && named.has(name) ? [[name, { format: backup.format }]] : [],
  );
  return {
    format: backupFormat,
    needs: [],
    host,
    cut: moment.toISOString(),
    appliance: { release, base: catalogue.base.name },
    components: Object.fromEntries(formats),
    consistent,
    accounts,
    parts: parts.map(({ name }) => name),
  };
}

/** How much content there is, and how long a file of it can be at most. */
function contentOf(parts: readonly Part[], open: (name: string) => PlacedPart): { bytes: number; most: number } {
  let [bytes, most] = [0, 1 << 20];
  for (const { name } of parts)
    for (const { size, path: below } of open(name).entries) {
      bytes += size;
      // its blocks, with a head or three, and a long name
      most += size + 2048 + 2 * below.length;
    }
  // what does not compress grows a little, by zstd and by age
  return { bytes, most: Math.ceil(most * 1.001) };
}

async function lengthOf(stream: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

/** Tells how far it is, a few times a second. */
function progressOf(report: Report, name: string, all: number): (bytes: number) => void {
  let last = performance.now();
  return (bytes) => {
    if (performance.now() - last < 250) return;
    last = performance.now();
    report({ type: 'progress', name, fraction: Math.min(1, bytes / Math.max(1, all)) });
  };
}

/** Nothing is ever written over: two within one second have two names. @throws UserError when it is there already. */
function freeFile(file: string): string {
  if (!existsSync(file)) return file;
  throw new UserError(`${file} is there already`, { exitCode: exitCodes.busy, hint: 'wait a second, or take another name' });
}

/** Of an earlier run that was killed. */
function dropPartial(folder: string, host: string, own: string | undefined): void {
  for (const name of readdirSync(folder))
    if (isPartial(name, host) || name === `${own}${partialSuffix}`) rmSync(path.join(folder, name), { force: true });
}

/** What the medium refuses, in words. */
function explained(error: unknown, to: string): unknown {
  if (isDiskFull(error))
    return new UserError(`there is no room for it in ${to}`, {
      ...{ exitCode: exitCodes.machineLacks, cause: error },
      hint: 'free some space there, or take a larger disk; nothing of it is left',
    });
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof UserError || syscall === undefined || !['EIO', 'EROFS', 'ENODEV', 'ENXIO', 'EFBIG'].includes(code ?? ''))
    return error;
  return new UserError(`${to} can't be written: ${(error as Error).message}`, { cause: error, hint: 'is the disk still there?' });
}
