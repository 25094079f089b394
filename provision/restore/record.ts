import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';

/** Where a restore stands. After a power cut the next boot goes on from here. */
export const phases = [
  /** Its data is prepared and checked; it goes to its place, the live data aside. */
  'switching',
  /** It is live, and being looked at; the gate is closed. */
  'trying',
  /** It did not pass: the data before goes back. */
  'returning',
  /** It stays. */
  'done',
  /** The data before is back. */
  'returned',
] as const;

const move = z.strictObject({
  /** Below /srv. */
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** Whether live data of the name was there before. */
  live: z.boolean(),
  /** Whether restored data of the name is. */
  fresh: z.boolean(),
});
export type Move = Readonly<z.output<typeof move>>;

const schema = z.strictObject({
  phase: z.enum(phases),
  /** The restored file's name, whose cut, from which host. */
  file: z.string(),
  host: z.string(),
  cut: z.iso.datetime(),
  /** When it was asked for. */
  at: z.iso.datetime(),
  moves: z.array(move),
  /** Parts of projects that the backup itself holds nothing of, as `PROJECT COMPONENT`: that they are missing is no fault of it. */
  empty: z.array(z.string()).default([]),
  /** Projects that it brings. */
  projects: z.array(z.string()).default([]),
  /** Boots since it is live. */
  boots: z.int().min(0),
  /** Why it did not pass. */
  why: z.array(z.string()).default([]),
});
export type RestoreRecord = Readonly<z.output<typeof schema>>;

export const recordFile = 'record.json';
const fileIn = (folder: string): string => path.join(folder, recordFile);

/** The last restore in its folder; undefined: there was none. @throws Error when the record can't be read. */
export function readRecord(folder: string): RestoreRecord | undefined {
  let text: string;
  try {
    text = readFileSync(fileIn(folder), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return schema.parse(JSON.parse(text));
}

/** Keeps it; on the disk when this returns. */
export function writeRecord(folder: string, record: RestoreRecord): void {
  writeFileAtomically(fileIn(folder), `${JSON.stringify(record, null, 2)}\n`, 0o600);
}
