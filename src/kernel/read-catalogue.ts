import { readFileSync } from 'node:fs';
import { type ApplianceCatalogue, appliancePaths } from './appliance.ts';

/** The catalogue the build left on the system disk. It is ours and root's, so its shape is not doubted. */
export function readCatalogue(): ApplianceCatalogue {
  return JSON.parse(readFileSync(appliancePaths.catalogue, 'utf8')) as ApplianceCatalogue;
}
