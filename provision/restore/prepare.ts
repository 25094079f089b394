import { chmodSync, chownSync, copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import { syncDirectory } from '../../src/kernel/atomic-file.ts';
import { type Opener, openEnvelope } from '../../src/kernel/backup/envelope.ts';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import type { BackupHeader } from '../../src/kernel/backup/layout.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { type Report, stage } from '../../src/kernel/report.ts';
import type { System } from '../../src/kernel/system.ts';
import { orInterrupted, requireGoingOn } from '../backup/interrupt.ts';
import { readOwners } from '../boot/owners.ts';
import { askDriver } from '../drivers.ts';
import { openSpecifications } from '../projects/specifications.ts';
import { requireComponents } from './components.ts';
import { movesFor, placesOf } from './exchange.ts';
import { type RestoreRecord, readRecord, recordFile, writeRecord } from './record.ts';
import { type Staged, type Staging, stageBackup } from './stage.ts';
import { projectsIn } from './target.ts';

const top = '/srv';
const folder = appliancePaths.restore;
const places = placesOf(top, folder);
/** Where a driver may write. */
const loaded = path.join(appliancePaths.cuts, 'loaded');
const staging: Staging = { data: places.fresh, dumps: path.join(folder, 'dumps') };

export interface PrepareOptions {
  readonly catalogue: ApplianceCatalogue;
  readonly system: System;
  readonly report: Report;
  /** The backup's bytes, from its medium. */
  readonly stream: AsyncIterable<Uint8Array>;
  /** Its name, for people. */
  readonly file: string;
  readonly opener: Opener;
  /** Ends it, leaving nothing. */
  readonly signal: AbortSignal;
  /** Asked once the header is known and before anything is written. @throws UserError to go no further. */
  readonly confirm: (header: BackupHeader) => void | Promise<void>;
}

export interface PreparedRestore extends Staged {
  readonly projects: readonly string[];
}

/** Deletes what an earlier restore left: data that did not pass, data before one that stays, data that was never live. */
export function dropLeftovers(): void {
  const phase = readRecord(folder)?.phase;
  if (phase === 'switching' || phase === 'trying' || phase === 'returning')
    throw new UserError('a restore is under way', { exitCode: exitCodes.busy, hint: 'devserver restore --show' });
  const { fresh, before, failed } = places;
  for (const place of [fresh, before, failed, staging.dumps, loaded]) rmSync(place, { recursive: true, force: true });
}

/**
 * Lays a backup out beside the live data and checks it. Nothing live is touched; nothing of it is left when it fails.
 * @throws BackupFault, UserError.
 */
export async function prepareRestore(options: PrepareOptions): Promise<PreparedRestore> {
  const { catalogue, system, report, stream, opener, signal, confirm } = options;
  dropLeftovers();
  for (const place of [staging.data, staging.dumps]) mkdirSync(place, { recursive: true, mode: 0o700 });
  try {
    const staged = await stage(report, 'read', async () => {
      const value = await stageBackup({
        ...{ catalogue, staging, owners: readOwners(), archive: openEnvelope(stream, opener) },
        accept: async (header) => {
          requireComponents(catalogue, header);
          await confirm(header);
        },
      });
      const bytes = Object.values(value.manifest.parts).reduce((sum, part) => sum + part.bytes, 0);
      return { value, outcome: { bytes } };
    });
    const projects = requireProjects(staged.header);
    for (const dump of staged.dumped) await stage(report, dump.component, async () => ({ value: await load(catalogue, dump) }));
    await stage(report, 'flush', async () => ({
      value: await system.run({ file: 'sync', args: ['--file-system', '--', staging.data] }),
    }));
    rmSync(staging.dumps, { recursive: true });
    requireGoingOn(signal);
    return { ...staged, projects };
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
export function commitRestore(catalogue: ApplianceCatalogue, staged: PreparedRestore, file: string, now: Date): RestoreRecord {
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

/** Every project whose parts are there can be read, and is called what its part is. */
function requireProjects({ parts }: BackupHeader): string[] {
  const names = projectsIn(parts);
  if (names.length === 0) return [];
  const specifications = openSpecifications(path.join(staging.data, 'system/devserverd/projects'));
  const wrong = names.flatMap((name) => {
    if (specifications.find(name) !== undefined) return [];
    return [`${name}: ${specifications.damaged.get(name) ?? 'it has no specification'}`];
  });
  if (wrong.length > 0) throw new BackupFault('refused', `it holds what is no project: ${wrong.slice(0, 5).join('; ')}`);
  return names;
}

/**
 * Has a driver make its data of what it dumped. It works where it may write, with copies that are its own, and knows no other
 * place.
 */
async function load(
  catalogue: ApplianceCatalogue,
  { component: name, root, folder: dump }: Staged['dumped'][number],
): Promise<void> {
  const component = catalogue.components.find((it) => it.name === name);
  const place = component?.backup?.system[root];
  if (component?.driver === undefined || place === undefined) throw new Error(`${name} has no driver that could load ${root}`);
  if (lstatSync(dump, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new BackupFault('refused', `what it holds of ${name} is no folder`);
  const owners = readOwners();
  const [uid, gid] = [owners.uid(component.driver.as), owners.gid(component.driver.as)];
  const [from, into] = [path.join(loaded, 'from'), path.join(loaded, 'into')];
  rmSync(loaded, { recursive: true, force: true });
  try {
    mkdirSync(loaded);
    chmodSync(loaded, 0o710);
    chownSync(loaded, 0, gid);
    for (const it of [from, into]) {
      mkdirSync(it, { mode: 0o700 });
      chownSync(it, uid, gid);
    }
    for (const file of readdirSync(dump, { withFileTypes: true }).filter((it) => it.isFile())) {
      copyFileSync(path.join(dump, file.name), path.join(from, file.name));
      chownSync(path.join(from, file.name), uid, gid);
    }
    await askDriver(component, 'load', { root, from, into }, 900);
    const target = path.join(staging.data, path.relative(top, place));
    mkdirSync(path.dirname(target), { recursive: true, mode: 0o755 });
    if (existsSync(target)) throw new Error(`${target} is there already`);
    renameSync(into, target);
  } finally {
    rmSync(loaded, { recursive: true, force: true });
    rmSync(dump, { recursive: true, force: true });
  }
}
