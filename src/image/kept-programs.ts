import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Component } from '../kernel/catalogue/load.ts';
import { makeFolder } from '../kernel/folder.ts';
import type { Programs } from '../plan/generated.ts';
import { cacheKey, temporaryName } from './cache.ts';
import { bundlePrograms } from './programs.ts';

/**
 * The appliance's programs, from the cache when they were bundled of the same sources before. A cache that is not there, or
 * can not be written, stays as it is.
 */
export async function keptPrograms(root: string, components: readonly Component[], cache: string): Promise<Programs> {
  // what drivers of others take from elsewhere is not known before it is bundled
  if (components.some(({ folder }) => path.relative(root, folder).startsWith('..'))) return bundlePrograms(root, components);
  const file = path.join(cache, 'programs', sourcesKey(root, components));
  const kept = readKept(file);
  if (kept !== undefined) return kept;
  const programs = await bundlePrograms(root, components);
  if (existsSync(cache)) keep(file, programs);
  return programs;
}

/** Digest of all that bundles can be made of: our sources and the components', libraries by the file that pins them. */
function sourcesKey(root: string, components: readonly Component[]): string {
  const folders = [
    ...['src', 'provision', 'templates'].map((name) => path.join(root, name)),
    ...components.map((it) => it.folder),
  ];
  const pins = ['package-lock.json', 'npm-shrinkwrap.json', 'package.json', 'tsconfig.json'].map((name) => path.join(root, name));
  const files = [...folders.flatMap(filesBelow), ...pins.filter((file) => existsSync(file))];
  const digests = files.map((file) => [path.relative(root, file), createHash('sha256').update(readFileSync(file)).digest('hex')]);
  return cacheKey({ format: 1, root, digests });
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).isFile())
    .sort();
}

/** Undefined for one that is not there, or no longer what was written. */
function readKept(file: string): Programs | undefined {
  try {
    const bytes = readFileSync(file);
    const body = bytes.subarray(32);
    if (!createHash('sha256').update(body).digest().equals(bytes.subarray(0, 32))) return undefined;
    const programs = deserialize(body) as Programs;
    // what is used is not pruned
    utimesSync(file, new Date(), new Date());
    return programs;
  } catch {
    return undefined;
  }
}

/** Each is megabytes, and a change of a source makes another: those that were taken last stay. */
const most = 8;

function oldest(folder: string): string[] {
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  const used = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return files.sort((a, b) => used(b) - used(a)).slice(most);
}

function keep(file: string, programs: Programs): void {
  const body = serialize(new Map([...programs].map(([name, bytes]) => [name, new Uint8Array(bytes)])));
  const beside = path.join(path.dirname(path.dirname(file)), temporaryName());
  try {
    makeFolder(path.dirname(file));
    writeFileSync(beside, Buffer.concat([createHash('sha256').update(body).digest(), body]));
    renameSync(beside, file);
    for (const old of oldest(path.dirname(file))) rmSync(old, { force: true });
  } catch {
    // they are bundled again the next time
    rmSync(beside, { force: true });
  }
}
