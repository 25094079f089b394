import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';

/** Of this machine, not of its data: a restored appliance has its own. */
export const lastBackupsFile = path.join(appliancePaths.system, 'backups.json');

const schema = z.object({
  /** The last one that was written and read back. */
  done: z.object({ at: z.iso.datetime(), file: z.string(), bytes: z.int().min(0), host: z.string() }).optional(),
  /** Where the last one went: the labelled disk, or a folder. The nightly one goes there too. */
  target: z.union([z.literal('usb'), z.strictObject({ folder: z.string(), plain: z.boolean() })]).optional(),
  /** When the last nightly one was begun. */
  tried: z.iso.datetime().optional(),
  /** The last one that failed, when none was done since. */
  failed: z.object({ at: z.iso.datetime(), to: z.string(), why: z.string() }).optional(),
});
export type LastBackups = Readonly<z.output<typeof schema>>;

/** How the last backups went; nothing, when none was ever made or the file can't be read. */
export function lastBackups(file = lastBackupsFile): LastBackups {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}

/** Keeps it for status and front page; readable by the daemon. */
export function keepLastBackups(last: LastBackups, file = lastBackupsFile): void {
  writeFileAtomically(file, `${JSON.stringify(last)}\n`, 0o644);
}
