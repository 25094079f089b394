import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';

/** Until the next boot: a backup that was found on a disk by an appliance that has nothing yet. */
const offerFile = path.join(appliancePaths.run, 'restore-offer.json');

const schema = z.object({ file: z.string(), host: z.string(), device: z.string() });
export type RestoreOffer = Readonly<z.output<typeof schema>>;

export function keepOffer(offer: RestoreOffer, file = offerFile): void {
  writeFileAtomically(file, `${JSON.stringify(offer)}\n`, 0o644);
}

export function dropOffer(file = offerFile): void {
  rmSync(file, { force: true });
}

/** What lies on the disk; undefined where nothing does, or projects have been made since. */
export function readOffer(hasProjects: boolean, file = offerFile): RestoreOffer | undefined {
  if (hasProjects || !existsSync(file)) return undefined;
  return schema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
}
