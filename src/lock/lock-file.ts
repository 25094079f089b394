import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { writeFileAtomically } from '../kernel/atomic-file.ts';
import { DataError } from '../kernel/errors.ts';
import { readYaml } from '../kernel/yaml-file.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');

const packageSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'must be the name of a package'),
  version: z.string().regex(/^[A-Za-z0-9.+:~-]+$/, 'must be the version of a package'),
  architecture: z.string().regex(/^[a-z0-9-]+$/),
  sha256,
  bytes: z.int().min(1),
  /** Which of the archives it comes from. */
  from: z.string(),
  /** Below that archive's address. */
  path: z.string().regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$)).+$/, 'must be a path below the archive'),
});

/** DIR/devserver.lock: everything a build takes from elsewhere, to the bit. */
export const lockSchema = z.strictObject({
  version: z.literal(1),
  /** When the archives were asked. */
  made: z.iso.datetime(),
  base: z.string(),
  /** Of what was asked for; another digest: the lock is for other answers. */
  wanted: sha256,
  /** The base's own archives, the main one first; the server gets its updates from them. */
  sources: z.array(z.strictObject({ url: z.url(), suite: z.string() })),
  /** Of further sources that have one, their public key, by their name. */
  keys: z.record(z.string(), z.string()),
  /** Address by name, as they were then. */
  archives: z.record(z.string(), z.string()),
  packages: z.array(packageSchema),
  /** Of the programs that make disks. */
  tools: z.array(packageSchema),
  artifacts: z.array(z.strictObject({ name: z.string(), of: z.string(), sha256, bytes: z.int().optional() })),
});

export type Lock = Readonly<z.output<typeof lockSchema>>;
export type LockedPackage = Readonly<z.output<typeof packageSchema>>;

export const lockFile = 'devserver.lock';

/** The lock of DIR; undefined when there is none. @throws DataError with the places of what is wrong in it. */
export function readLock(dir: string): Lock | undefined {
  const file = path.join(dir, lockFile);
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  const result = lockSchema.safeParse(parsed(text));
  if (result.success) return result.data;
  // JSON is YAML, whose reader knows where everything stands
  const again = readYaml(file, text, lockSchema);
  if ('yaml' in again) return again.yaml.value;
  throw new DataError(again.faults);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Writes it as a whole. */
export function writeLock(dir: string, lock: Lock): void {
  writeFileAtomically(path.join(dir, lockFile), lockText(lock), 0o644);
}

/** JSON, with one package a line: a difference of two locks can be read. */
export function lockText({ packages, tools, artifacts, ...rest }: Lock): string {
  const lines = Object.entries(rest).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  const lists = Object.entries({ packages, tools, artifacts }).map(([name, items]) =>
    items.length === 0
      ? `  ${JSON.stringify(name)}: []`
      : `  ${JSON.stringify(name)}: [\n${items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`,
  );
  return `{\n${[...lines, ...lists].join(',\n')}\n}\n`;
}
