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
  /** When which file was last read to its end; deep: its contents were looked at too. By its name. */
  verified: z.record(z.string(), z.object({ at: z.iso.datetime(), deep: z.boolean(), bytes: z.int().optional() })).optional(),
  /** When the last rehearsal was begun, whatever became of it. */
  rehearsalTried: z.iso.datetime().optional(),
  /** The last rehearsal of a restore, and why it failed; not deep: there was no room for more than reading it. */
  rehearsed: z.object({ at: z.iso.datetime(), file: z.string(), deep: z.boolean(), why: z.string().optional() }).optional(),
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

/** Names of files are kept for so many. */
const mostVerified = 500;

/** The record with one more file read to its end. Pure. */
export function withVerified(
  last: LastBackups,
  file: string,
  { deep, bytes }: { readonly deep: boolean; readonly bytes: number },
  now: Date,
): LastBackups {
  const before = last.verified?.[path.basename(file)];
  const wasDeep = before?.deep === true && before.bytes === bytes;
  const others = Object.entries(last.verified ?? {}).filter(([name]) => name !== path.basename(file));
  const newest = others.sort(([, a], [, b]) => (a.at < b.at ? 1 : -1)).slice(0, mostVerified - 1);
  return {
    ...last,
    verified: { [path.basename(file)]: { at: now.toISOString(), deep: deep || wasDeep, bytes }, ...Object.fromEntries(newest) },
  };
}

/** Keeps it for status and front page; readable by the daemon. */
export function keepLastBackups(last: LastBackups, file = lastBackupsFile): void {
  writeFileAtomically(file, `${JSON.stringify(last)}\n`, 0o644);
}
