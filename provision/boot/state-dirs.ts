import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import type { OwnerTable } from './owners.ts';

/** Makes the components' directories below /srv with their owners and modes; never changes what is inside them. */
export function makeStateDirs(catalogue: ApplianceCatalogue, owners: OwnerTable): void {
  for (const { state } of catalogue.components) {
    for (const { dir, as, group, mode } of state) {
      mkdirSync(dir, { recursive: true, mode: 0o755 });
      // a link here would hand its target to the account
      if (!lstatSync(dir).isDirectory()) throw new Error(`${dir} is no directory`);
      chownSync(dir, owners.uid(as), owners.gid(group ?? as));
      chmodSync(dir, Number.parseInt(mode, 8));
    }
  }
}
