import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import { type BackupHeader, totalsOf } from '../../src/kernel/backup/layout.ts';
import { type Report, stage } from '../../src/kernel/report.ts';
import type { System } from '../../src/kernel/system.ts';
import { readOwners } from '../boot/owners.ts';
import { askDriver } from '../drivers.ts';
import { openSpecifications } from '../projects/specifications.ts';
import { requireComponents } from './components.ts';
import { migrate } from './migrate.ts';
import { type Staged, type Staging, stageBackup } from './stage.ts';
import { projectsIn } from './target.ts';

const top = '/srv';
/** Where a driver may write. */
const loaded = path.join(appliancePaths.cuts, 'loaded');

export interface LayOutOptions {
  readonly catalogue: ApplianceCatalogue;
  readonly system: System;
  readonly report: Report;
  /** The archive within the backup. */
  readonly archive: AsyncIterable<Uint8Array>;
  /** Asked once the header is known and before anything is written. @throws UserError to go no further. */
  readonly confirm: (header: BackupHeader) => void | Promise<void>;
}

export interface LaidOut extends Staged {
  readonly projects: readonly string[];
}

/**
 * Lays a whole backup out as it would be live, but elsewhere, brought to this release's forms and dumps loaded by their drivers. It is the caller's to delete,
 * also when this fails. To be called by whoever is `alone` (lock.ts). @throws BackupFault, UserError.
 */
export async function layOut(options: LayOutOptions, staging: Staging): Promise<LaidOut> {
  const { catalogue, system, report, archive, confirm } = options;
  for (const place of [staging.data, staging.dumps]) mkdirSync(place, { recursive: true, mode: 0o700 });
  const staged = await stage(report, 'read', async () => {
    const value = await stageBackup({
      ...{ catalogue, staging, archive, owners: readOwners() },
      accept: async (header) => {
        requireComponents(catalogue, header);
        await confirm(header);
      },
    });
    return { value, outcome: { bytes: totalsOf(value.manifest).bytes } };
  });
  const placeOf = (place: string): string => path.join(staging.data, path.relative(top, place));
  await migrate({ catalogue, system, report, header: staged.header, placeOf });
  const projects = requireProjects(staged.header, staging);
  for (const dump of staged.dumped)
    await stage(report, dump.component, async () => ({ value: await load(catalogue, dump, staging) }));
  rmSync(staging.dumps, { recursive: true });
  return { ...staged, projects };
}

/** Deletes what a killed one left where drivers write. */
export function dropLoaded(): void {
  rmSync(loaded, { recursive: true, force: true });
}

/** Every project whose parts are there can be read, and is called what its part is. */
function requireProjects({ parts }: BackupHeader, { data }: Staging): string[] {
  const names = projectsIn(parts);
  if (names.length === 0) return [];
  const specifications = openSpecifications(path.join(data, 'system/devserverd/projects'));
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
  staging: Staging,
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
    for (const it of [from, into]) mkdirSync(it, { mode: 0o700 });
    for (const file of readdirSync(dump, { withFileTypes: true }).filter((it) => it.isFile())) {
      copyFileSync(path.join(dump, file.name), path.join(from, file.name), constants.COPYFILE_EXCL);
      chownSync(path.join(from, file.name), uid, gid);
    }
    // last: nobody else may be in them while root works there
    for (const it of [from, into]) chownSync(it, uid, gid);
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
