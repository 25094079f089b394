import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type ApplianceCatalogue, appliancePaths, projectNamePattern } from '../../src/kernel/appliance.ts';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import type { BackupHeader } from '../../src/kernel/backup/layout.ts';
import type { Api } from '../../src/kernel/client/api.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { didYouMean } from '../../src/kernel/nearest.ts';
import type { ProjectSpecification } from '../../src/kernel/project.ts';
import { type Report, stage } from '../../src/kernel/report.ts';
import type { System } from '../../src/kernel/system.ts';
import { readOwners } from '../boot/owners.ts';
import { newJobName } from '../projects/job.ts';
import { readSpecification } from '../projects/specifications.ts';
import { requireComponents } from './components.ts';
import { migrate } from './migrate.ts';
import { type Staged, type Staging, stageBackup } from './stage.ts';
import { ownerOf, projectsIn } from './target.ts';

const projectName = new RegExp(`^${projectNamePattern}$`);
const folder = path.join(appliancePaths.restore, 'projects');

export interface ProjectRestoreOptions {
  readonly catalogue: ApplianceCatalogue;
  readonly api: Api;
  readonly system: System;
  readonly report: Report;
  /** The archive within the backup. */
  readonly archive: AsyncIterable<Uint8Array>;
  /** As it is called in the backup. */
  readonly project: string;
  /** As it shall be called. */
  readonly as: string;
  readonly isDryRun: boolean;
  readonly onLine: (line: Record<string, unknown>) => void;
}

/** What the daemon says when it is done. */
export type RestoredProject = Readonly<Record<string, unknown>> & { readonly dropped?: readonly string[] };

/**
 * Takes one project out of a backup, under another name too: its data is laid out where the archive's unit finds it; the
 * rest is a job of the daemon's, which is done as a whole or taken back.
 */
export async function restoreProject(options: ProjectRestoreOptions): Promise<RestoredProject & { aside: number }> {
  const { catalogue, api, system, report, project, as, isDryRun, onLine } = options;
  for (const name of [project, as])
    if (!projectName.test(name))
      throw new UserError(`${JSON.stringify(name)} is no name of a project`, { exitCode: exitCodes.usage });
  // of a run that was killed; a job of the daemon's has what it needs by then, or takes it back
  rmSync(folder, { recursive: true, force: true });
  const from = newJobName(system.now());
  const staging: Staging = { data: path.join(folder, from), dumps: path.join(folder, `${from}.dumps`) };
  mkdirSync(staging.data, { recursive: true, mode: 0o700 });
  try {
    const staged = await stage(report, 'read', async () => ({ value: await lay(options, staging, from) }));
    const placeOf = (place: string): string =>
      path.join(staging.data, path.relative('/srv', stashesBy(catalogue, as, from)(place) ?? place));
    await migrate({ catalogue, system, report, header: ofProject(staged.header, project), placeOf, named: () => as });
    const given = specificationIn(staging, project, as);
    await system.run({ file: 'sync', args: ['--file-system', '--', staging.data] });
    const { accounts } = staged.header;
    const body = { from, project: given, accounts };
    const query = isDryRun ? '?dryRun=true' : '';
    const answer = await api.follow<RestoredProject>('POST', `/projects/${as}/restore${query}`, body, onLine);
    const aside = [...staged.aside.values()].reduce((sum, count) => sum + count, 0);
    if (!isDryRun) keepAside(staging, as);
    return { ...answer, aside };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lay({ catalogue, archive, project, as }: ProjectRestoreOptions, staging: Staging, from: string): Promise<Staged> {
  const stashOf = stashesBy(catalogue, as, from);
  return stageBackup({
    ...{ catalogue, staging, archive, owners: readOwners() },
    wants: (part) => ownerOf(part).project === project,
    named: () => as,
    laidOutAt: (place) => stashOf(place) ?? place,
    accept: (header) => {
      const names = projectsIn(header.parts);
      if (!names.includes(project)) throw noProject(project, names);
      requireComponents(catalogue, ofProject(header, project));
    },
  });
}

const ofProject = (header: BackupHeader, project: string): BackupHeader => ({
  ...header,
  parts: header.parts.filter((part) => ownerOf(part).project === project),
});

function noProject(project: string, names: readonly string[]): UserError {
  const meant = didYouMean(project, names) ?? 'devserver backup show FILE lists them';
  return new UserError(`there is no project ${project} in it`, { exitCode: exitCodes.usage, hint: meant });
}

/** Where the drivers take a project's data from, in place of where it is live: `.stash` beside it, by the job's name. */
function stashesBy({ components }: ApplianceCatalogue, name: string, from: string): (place: string) => string | undefined {
  const pairs = components.flatMap(({ backup, project }) =>
    Object.values(backup?.project ?? {}).flatMap((pattern): [string, string][] => {
      const stash = project
        .flatMap((it) => it.stash ?? [])
        .find((it) => path.dirname(path.dirname(it)) === path.dirname(pattern));
      return stash === undefined ? [] : [[pattern.replace('{project}', name), stash.replace('{job}', from)]];
    }),
  );
  return (place) => {
    const found = pairs.find(([live]) => place === live || place.startsWith(`${live}/`));
    return found === undefined ? undefined : `${found[1]}${place.slice(found[0].length)}`;
  };
}

/** The specification in the backup, under the name it shall have. */
function specificationIn({ data }: Staging, project: string, as: string): ProjectSpecification {
  const file = path.join(data, 'system/devserverd/projects', `${as}.yaml`);
  try {
    return { ...readSpecification(file, project), name: as };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BackupFault('refused', `the specification of ${project} in it can't be read: ${why}`);
  }
}

function keepAside({ data }: Staging, as: string): void {
  const made = path.join(data, path.relative('/srv', appliancePaths.setAside), 'projects');
  if (!existsSync(made)) return;
  const target = path.join(appliancePaths.setAside, 'projects', as);
  mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
  rmSync(target, { recursive: true, force: true });
  renameSync(made, target);
}
