import * as z from 'zod';
import { projectNamePattern } from '../appliance.ts';

/** The file's form; docs/backup-format.md is its description and this its only number. */
export const backupFormat = 1;

/** What a reader of this release knows beyond format 1, by the names a header's `needs` may hold. */
export const knownNeeds: ReadonlySet<string> = new Set();

export const headerMember = 'devserver/header.json';
export const manifestMember = 'devserver/manifest.json';
export const partsFolder = 'parts';
/** Where what is set aside lies in a part. */
export const asideFolder = 'aside';

/** No size or count in a file is believed; these hold for what is read, and so for what is written. */
export const limits = {
  headerBytes: 8 << 20,
  manifestBytes: 16 << 20,
  /** Objects and lists in one of them, and commas: what is read takes no more memory than these allow. */
  values: 600_000,
  commas: 2_000_000,
  parts: 200_000,
  /** Below its part: what Linux takes. */
  pathBytes: 4096,
  entries: 10_000_000,
  /** Names of what was left out, in all parts together, and their bytes. */
  leftOut: 10_000,
  leftOutBytes: 1 << 20,
  /** Seconds since 1970: eleven octal digits. */
  mtime: 0o77_777_777_777,
} as const;

const component = '[a-z][a-z0-9-]{0,40}';
const partPattern = new RegExp(`^(?:system/${component}|projects/${projectNamePattern}/${component})$`);

/** `system/COMPONENT` or `projects/NAME/COMPONENT`. */
export const partName = z.string().regex(partPattern, 'a part is called system/COMPONENT or projects/NAME/COMPONENT');

/** Shown at a terminal before anything is decided: nothing in it acts there. */
const word = z.string().regex(/^[\x20-\x7e]{1,200}$/, 'must be printable');
const dataFormat = z.int().min(1).max(1_000_000);

/** Readers ignore keys they do not know: a later release may add some without a new format. */
export const backupHeader = z.object({
  format: z.int().min(1),
  needs: z.array(word).max(100),
  host: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/),
  cut: z.iso.datetime(),
  appliance: z.object({ release: word, base: word }),
  components: z.record(z.string().regex(new RegExp(`^${component}$`)), z.object({ format: dataFormat })),
  consistent: z.enum(['snapshot', 'fence']),
  /** People and what the directory gave each once: a name may be somebody else's by now. */
  accounts: z.record(z.string().min(1).max(64), z.string().min(1).max(64)).default({}),
  /** No two the same. */
  parts: z.array(partName),
});
export type BackupHeader = Readonly<z.output<typeof backupHeader>>;

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const count = z.int().min(0);

export const partSummary = z.object({
  entries: count,
  bytes: count,
  digest,
  /** Paths of the data that are no file or folder: the first of them, and how many there were. */
  leftOut: z.array(z.string()),
  leftOutCount: count,
});
export type PartSummary = Readonly<z.output<typeof partSummary>>;

export interface BackupManifest {
  readonly parts: Readonly<Record<string, PartSummary>>;
  /** Seconds for which jobs were held. */
  readonly pause: number;
}

/** Entries and bytes of content in all parts. */
export function totalsOf({ parts }: BackupManifest): { entries: number; bytes: number } {
  const all = Object.values(parts);
  return { entries: sumOf(all.map(({ entries }) => entries)), bytes: sumOf(all.map(({ bytes }) => bytes)) };
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, it) => sum + it, 0);
