import { lstatSync } from 'node:fs';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import type { BackupHeader } from '../../src/kernel/backup/layout.ts';
import { printable } from '../../src/kernel/printable.ts';
import { type Report, stage } from '../../src/kernel/report.ts';
import type { System } from '../../src/kernel/system.ts';
import { runAlone } from '../backup/run-alone.ts';
import { ownerOf, placeOfRoot } from './target.ts';

export interface MigrateOptions {
  readonly catalogue: ApplianceCatalogue;
  readonly system: System;
  readonly report: Report;
  readonly header: Pick<BackupHeader, 'parts' | 'components'>;
  /** Where something below /srv is laid out. */
  readonly placeOf: (place: string) => string;
  /** Another name for a project. */
  readonly named?: (project: string) => string;
}

interface Step {
  readonly part: string;
  readonly root: string;
  readonly from: number;
  readonly place: string;
  readonly as: string;
  readonly apply: readonly string[];
  readonly check: readonly string[];
}

/**
 * Brings what was laid out of a backup to the forms this release has, component by component and form by form: each root by a
 * program, which is alone with it, and then looked at by another.
 * @throws BackupFault with what they said, when one did not come to a good end.
 */
export async function migrate({ system, report, ...options }: MigrateOptions): Promise<void> {
  const steps = stepsOf(options);
  if (steps.length === 0) return;
  await stage(report, 'migrate', async () => {
    for (const [index, { part, root, from, place, as, ...runs }] of steps.entries()) {
      report({ type: 'progress', name: 'migrate', fraction: index / steps.length });
      const what = `${part} ${root}`;
      for (const run of [runs.apply, runs.check]) {
        const said = await runAlone({ what, place, as, run }, system);
        if (said !== undefined)
          throw new BackupFault('damaged', `${what} can't be brought from form ${from} to ${from + 1}`, {
            details: said.map(printable),
          });
      }
    }
    return { value: undefined };
  });
}

function stepsOf({ catalogue, header, placeOf, named = (it) => it }: Omit<MigrateOptions, 'system' | 'report'>): Step[] {
  const known = new Map(catalogue.components.map((component) => [component.name, component]));
  return header.parts.flatMap((part) => {
    const { project, component: name } = ownerOf(part);
    const { backup, driver } = known.get(name) ?? {};
    if (backup === undefined) return [];
    const form = header.components[name]?.format ?? 1;
    return backup.migrations
      .filter(({ from }) => from >= form)
      .sort((a, b) => a.from - b.from)
      .flatMap((migration): Step[] => {
        const live = placeOfRoot(backup, migration.root, project === undefined ? undefined : named(project));
        if (live === undefined) return [];
        if (driver === undefined) throw new Error(`${name} has migrations and no account they could run as`);
        const place = placeOf(live);
        // a part may hold nothing
        return lstatSync(place, { throwIfNoEntry: false }) === undefined ? [] : [{ ...migration, part, place, as: driver.as }];
      });
  });
}
