import * as z from 'zod';
import { projectNamePattern } from '../appliance.ts';

/** The file's form; docs/backup-format.md is its description and this its only number. */
export const backupFormat = 1;

/** What a reader of this release knows beyond format 1, by the names a header's `needs` may hold. */
export const knownNeeds: ReadonlySet<string> = new Set();

export const headerMember = 'devserver/header.json';
export const manifestMember = 'devserver/manifest.json';
export const partsFolder = 'parts';

/** No size or count in a file is believed; these hold for what is read. */
export const limits = {
  headerBytes: 1 << 20,
  manifestBytes: 16 << 20,
  pathBytes: 4096,
  depth: 256,
  entries: 10_000_000,
  /** Names of what was left out, in all parts together. */
  leftOut: 10_000,
} as const;

const component = '[a-z][a-z0-9-]{0,40}';
const partPattern = new RegExp(`^(?:system/${component}|projects/${projectNamePattern}/${component})$`);

/** `system/COMPONENT` or `projects/NAME/COMPONENT`. */
export const partName = z.string().regex(partPattern, 'a part is called system/COMPONENT or projects/NAME/COMPONENT');

const word = z.string().min(1).max(200);
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
  parts: z.array(partName).max(1_000_000),
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

export const backupManifest = z.object({
  parts: z.record(partName, partSummary),
  /** Seconds for which writers were held. */
  pause: z.number().min(0),
});
export type BackupManifest = Readonly<z.output<typeof backupManifest>>;
