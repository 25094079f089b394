import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import { syncDirectory } from '../../src/kernel/atomic-file.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { stage } from '../../src/kernel/report.ts';
import { orInterrupted, requireGoingOn } from '../backup/interrupt.ts';
import { movesFor, placesOf } from './exchange.ts';
import { dropLoaded, type LaidOut, type LayOutOptions, layOut } from './lay-out.ts';
import { type RestoreRecord, readRecord, recordFile, writeRecord } from './record.ts';
import type { Staged, Staging } from './stage.ts';
import { projectsIn } from './target.ts';

const top = '/srv';
const folder = appliancePaths.restore;
const places = placesOf(top, folder);
const staging: Staging = { data: places.fresh, dumps: path.join(folder, 'dumps') };

export interface PrepareOptions extends LayOutOptions {
  /** Ends it, leaving nothing. */
  readonly signal: AbortSignal;
}

/** Deletes what an earlier restore left: data that did not pass, data before one that stays, data that was never live. */
export function dropLeftovers(): void {
  const phase = readRecord(folder)?.phase;
  if (phase === 'switching' || phase === 'trying' || phase === 'returning')
    throw new UserError('a restore is under way', { exitCode: exitCodes.busy, hint: 'devserver restore --show' });
  const { fresh, before, failed } = places;
  dropLoaded();
  // of a look that was killed; whoever is at one holds the lock
  rmSync(appliancePaths.rehearsal, { recursive: true, force: true });
  for (const place of [fresh, before, failed, staging.dumps]) rmSync(place, { recursive: true, force: true });
}

/**
 * Lays a backup out beside the live data and checks it. Nothing live is touched; nothing of it is left when it fails.
 * @throws BackupFault, UserError.
 */
export async function prepareRestore(options: PrepareOptions): Promise<LaidOut> {
  const { system, report, signal } = options;
  dropLeftovers();
  try {
    const laidOut = await layOut(options, staging);
    await stage(report, 'flush', async () => ({
      value: await system.run({ file: 'sync', args: ['--file-system', '--', staging.data] }),
    }));
    requireGoingOn(signal);
    return laidOut;
  } catch (error) {
    for (const place of [staging.data, staging.dumps]) rmSync(place, { recursive: true, force: true });
    throw orInterrupted(signal, error);
  }
}

/** Gives up a restore that is prepared and not in place yet. @throws UserError when there is none. */
export function cancelRestore(): void {
  if (existsSync(places.before) && readRecord(folder)?.phase === 'switching')
    throw new UserError('it is being put in place already', {
      exitCode: exitCodes.busy,
      hint: 'restart the machine: it goes on from there',
    });
  if (readRecord(folder)?.phase !== 'switching')
    throw new UserError('no restore waits for the next start', { hint: 'devserver restore --show' });
  // without a record nothing is put in place; only then its data goes
  rmSync(path.join(folder, recordFile));
  syncDirectory(folder);
  dropLeftovers();
}

/** From now on the next boot puts the prepared data in place of the live data. */
export function commitRestore(catalogue: ApplianceCatalogue, staged: LaidOut, file: string, now: Date): RestoreRecord {
  const { host, cut } = staged.header;
  const record: RestoreRecord = {
    ...{ phase: 'switching', file, host, cut, at: now.toISOString(), moves: movesFor(catalogue, places), boots: 0, why: [] },
    empty: emptyIn(catalogue, staged),
    projects: [...staged.projects],
  };
  try {
    writeRecord(folder, record);
  } catch (error) {
    dropLeftovers();
    throw error;
  }
  return record;
}

/** What of the projects in it a backup holds nothing of. */
function emptyIn({ components }: ApplianceCatalogue, { header, manifest }: Staged): string[] {
  return projectsIn(header.parts).flatMap((project) =>
    components
      .filter(({ name }) => (manifest.parts[`projects/${project}/${name}`]?.entries ?? 0) === 0)
      .map(({ name }) => `${project} ${name}`),
  );
}
