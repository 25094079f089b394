import path from 'node:path';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { type BackupHeader, totalsOf } from '../../src/kernel/backup/layout.ts';
import { readBackup, requireWhole } from '../../src/kernel/backup/read.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { readCatalogue } from '../../src/kernel/read-catalogue.ts';
import type { System } from '../../src/kernel/system.ts';
import { auditOrTell, openAudit } from '../audit/open-audit.ts';
import { orInterrupted, until, untilInterrupted } from '../backup/interrupt.ts';
import { alone } from '../backup/lock.ts';
import { openedFile } from '../backup/opened.ts';
import { requireComponents } from '../restore/components.ts';
import { cancelRestore, commitRestore, dropLeftovers, type PrepareOptions, prepareRestore } from '../restore/prepare.ts';
import { type ProjectRestoreOptions, restoreProject } from '../restore/project.ts';
import { type RestoreRecord, readRecord } from '../restore/record.ts';
import { projectsIn } from '../restore/target.ts';
import { describe, megabytes, reportTo, requireFile, requireRoot } from './backup-words.ts';
import type { CommandContext } from './context.ts';
import { withKeyFile } from './restore-key.ts';

export interface RestoreOptions {
  readonly key?: string | undefined;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly reboot?: boolean;
  readonly project?: string;
  readonly as?: string;
  /** Of one that nobody is asked about: whether it is still nobody's data that would go. */
  readonly requireFresh?: () => Promise<boolean>;
}

/** `devserver restore FILE`. */
export async function restore(file: string, options: RestoreOptions, context: CommandContext, confirm: Confirm): Promise<void> {
  const system = requireRoot('restore');
  requireFile(file);
  await withKeyFile(options.key, undefined, async (key) => {
    const given = { ...options, key };
    const work = (): Promise<void> => restoreFile(file, given, context, confirm);
    // looking changes nothing, and waits for nobody
    return options.dryRun === true && options.project === undefined ? work() : alone(work);
  });
  if (isForRestart(options)) await restart(system);
}

export type Confirm = (question: string) => Promise<boolean>;

/** Whether the machine is to restart when a restore was prepared. */
export function isForRestart({ reboot, dryRun, project }: RestoreOptions): boolean {
  return reboot !== false && dryRun !== true && project === undefined;
}

/** The machine puts what is prepared in place. */
export function restart(system: System): Promise<void> {
  return system.run({ file: 'systemctl', args: ['reboot'] }).then(() => {});
}

/**
 * Has one project out of a backup, or prepares all of it for the next start. To be called by whoever is `alone` (lock.ts), who
 * then restarts the machine if it is to.
 */
export async function restoreFile(
  file: string,
  options: RestoreOptions,
  context: CommandContext,
  confirm: Confirm,
): Promise<void> {
  const system = requireRoot('restore');
  const { project, as = project, dryRun = false } = options;
  if (project === undefined && as !== undefined)
    throw new UserError('--as names one project', { exitCode: exitCodes.usage, hint: '--project NAME --as OTHER' });
  if (project === undefined && dryRun) return look(file, options.key, context);
  const signal = untilInterrupted();
  const archive = until(signal, openedFile(file, options.key));
  if (project === undefined || as === undefined) return prepare(file, options, { archive, system, signal }, context, confirm);
  try {
    await one(file, { project, as, isDryRun: dryRun, archive, system }, context);
  } catch (error) {
    throw orInterrupted(signal, error);
  }
}

type Opened = Pick<PrepareOptions, 'archive' | 'system' | 'signal'>;

async function prepare(
  file: string,
  { yes, reboot, requireFresh }: RestoreOptions,
  opened: Opened,
  { json, result }: CommandContext,
  confirm: Confirm,
): Promise<void> {
  const catalogue = readCatalogue();
  const report = reportTo(json);
  const prepared = await prepareRestore({
    ...{ ...opened, catalogue, report },
    confirm: async (header) => {
      if (!json) process.stderr.write(`${contents(header)}\n`);
      if (yes === true || (await confirm('Everything people made in this appliance is replaced. Go on?'))) return;
      throw new UserError('nothing was restored', { exitCode: exitCodes.usage, hint: 'say --yes to restore it' });
    },
  });
  try {
    if (requireFresh !== undefined && !(await requireFresh()))
      throw new UserError('somebody has begun to work here meanwhile: nothing was restored', { hint: 'devserver restore --usb' });
  } catch (error) {
    dropLeftovers();
    throw error;
  }
  const aside = [...prepared.aside.values()].reduce((sum, count) => sum + count, 0);
  if (aside > 0)
    report({
      type: 'note',
      text: `${aside} files of hooks, settings and plugins are not put back: look into ${appliancePaths.setAside}`,
    });
  for (const [part, { leftOutCount }] of Object.entries(prepared.manifest.parts))
    if (leftOutCount > 0)
      report({ type: 'warning', text: `${part}: ${leftOutCount} links or the like were left out when it was made` });
  await auditOrTell(openAudit(), {
    who: 'root',
    what: 'restore',
    to: path.basename(file),
    result: 'prepared; the appliance restarts',
  });
  commitRestore(catalogue, prepared, path.basename(file), opened.system.now());
  const { host, cut } = prepared.header;
  result(
    `${path.basename(file)} is prepared; ${reboot === false ? 'the next start puts it in place' : 'the appliance restarts now and puts it in place'}\ndevserver restore --show says how it went`,
    { file, host, cut, projects: prepared.projects, phase: 'switching' },
  );
}

type One = Pick<ProjectRestoreOptions, 'project' | 'as' | 'isDryRun' | 'archive' | 'system'>;

/** `devserver restore FILE --project NAME`: into the appliance as it runs. */
async function one(file: string, given: One, { api, json, result, onLine }: CommandContext): Promise<void> {
  const begun = performance.now();
  const options = { ...given, api, onLine, catalogue: readCatalogue(), report: reportTo(json) };
  const { dropped = [], aside, ...answer } = await restoreProject(options);
  const seconds = Math.round(performance.now() - begun) / 1000;
  const lines = [
    given.isDryRun ? `would restore ${given.project} as ${given.as}` : `${given.as} is restored in ${seconds.toFixed(1)} s`,
    ...(dropped.length === 0 ? [] : [`no members any more: ${dropped.join(', ')}, who are not who they were, or gone`]),
    ...(aside === 0
      ? []
      : [`${aside} files of hooks, settings and plugins are not put back: ${appliancePaths.setAside}/projects/${given.as}`]),
  ];
  result(lines.join('\n'), { ...answer, file, project: given.as, dropped, seconds });
}

/** `devserver restore FILE --dry-run`: the whole file is read, nothing is written. */
async function look(file: string, key: string | undefined, { json, result }: CommandContext): Promise<void> {
  const catalogue = readCatalogue();
  const { header, manifest, damaged } = await readBackup(openedFile(file, key), {
    header: (it) => requireComponents(catalogue, it),
  });
  requireWhole(damaged);
  const { bytes } = totalsOf(manifest);
  if (!json) process.stderr.write(`${contents(header)}\n`);
  result(`${megabytes(bytes)} would take the place of what is here; nothing was done`, { file, ...header, bytes });
}

/** `devserver restore --cancel`: gives up what the next start would put in place. */
export async function giveUpRestore({ result }: CommandContext): Promise<void> {
  requireRoot('restore');
  await alone(async () => cancelRestore());
  result('given up; nothing was changed', { phase: 'cancelled' });
}

/** `devserver restore --show`: how the last one went. */
export async function showRestore({ result }: CommandContext): Promise<void> {
  requireRoot('restore');
  const record = readRecord(appliancePaths.restore);
  if (record === undefined) return result('nothing was ever restored here', { phase: 'none' });
  result(
    [`${record.file}: ${record.host} at ${record.cut}, asked for at ${record.at}`, said[record.phase], ...record.why].join('\n'),
    record,
  );
}

const said: Readonly<Record<RestoreRecord['phase'], string>> = {
  switching: 'it is prepared; the next start puts it in place (devserver restore --cancel gives it up)',
  trying: 'it is in place and being looked at; nobody is let in yet',
  returning: 'it did not pass; the next start brings the data before back',
  done: 'it passed and stays',
  returned: 'it did not pass; the data before is back',
};

function contents(header: BackupHeader): string {
  const projects = projectsIn(header.parts);
  const shown = projects.length > 20 ? [...projects.slice(0, 20), '…'] : projects;
  return `${describe(header)}\n${projects.length} projects${projects.length === 0 ? '' : `: ${shown.join(', ')}`}`;
}
