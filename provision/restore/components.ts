import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import type { BackupHeader } from '../../src/kernel/backup/layout.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { ownerOf } from './target.ts';

/** @throws UserError (exit 4) for parts of projects that nothing here could serve; BackupFault for data of a later form. */
export function requireComponents(
  { components }: ApplianceCatalogue,
  { parts, components: formats, appliance }: BackupHeader,
): void {
  const known = new Map(components.map(({ name, backup }) => [name, backup]));
  const later = components.find(({ name, backup }) => (formats[name]?.format ?? 1) > (backup?.format ?? 1));
  if (later !== undefined)
    throw new BackupFault('newer', `the data of ${later.name} in it has a later form than this release knows`, {
      hint: `restore it with release ${appliance.release} or a later one`,
    });
  const missing = parts.map(ownerOf).filter(({ project, component }) => project !== undefined && !known.has(component));
  const names = [...new Set(missing.map(({ component }) => component))].sort();
  if (names.length > 0)
    throw new UserError(`projects in it use what this appliance does not have: ${names.join(', ')}`, {
      exitCode: exitCodes.machineLacks,
      hint: 'build an appliance with these components, and restore it there',
    });
}
