import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { Download, Replacement } from '../plan/plan.ts';
import { type Cache, type CacheEntry, cacheKey } from './cache.ts';
import { artifactName } from './downloads.ts';
import { tarBytes, tarEnd } from './tar-write.ts';
import { type UnpackedFile, unpack } from './unpack.ts';

/**
 * A download as a layer of the root file system: placed as one file, or unpacked with folders stripped,
 * parts left out and texts replaced. Everything belongs to root, 0644 or 0755.
 * @throws UserError when the archive holds what must not be, or a replacement does not fit.
 */
export async function artifactLayer(download: Download, file: string, cache: Cache): Promise<CacheEntry> {
  const { sha256, to, unpack: how } = download;
  const key = cacheKey({ format: 1, sha256, name: artifactName(download.source), to, unpack: how });
  return cache.getOrMake('artifact', key, async (temporary) => {
    const handle = await open(temporary, 'w');
    try {
      for (const { path: name, content, executable } of await filesOf(download, file)) {
        const mode = executable ? 0o755 : 0o644;
        await handle.writeFile(tarBytes({ kind: 'file', path: name, mode, uid: 0, gid: 0, content }));
      }
      await handle.writeFile(tarEnd);
    } finally {
      await handle.close();
    }
  });
}

/** What a download puts where: absolute paths in the appliance. */
export async function filesOf(download: Download, file: string): Promise<UnpackedFile[]> {
  const name = artifactName(download.source);
  const bytes = await readFile(file);
  if (download.to !== undefined) {
    const target = download.to.endsWith('/') ? `${download.to}${name}` : download.to;
    return [{ path: target, content: bytes, executable: false }];
  }
  const how = download.unpack;
  if (how === undefined) throw new UserError(`${name} has neither to: nor unpack:`, { exitCode: exitCodes.badData });
  const kept = (await unpack(name, bytes))
    .flatMap((it) => {
      const stripped = it.path
        .split('/')
        .slice(how.strip ?? 0)
        .join('/');
      return stripped === '' ? [] : [{ ...it, path: stripped }];
    })
    .filter((it) => how.only === undefined || how.only.some((prefix) => isBelow(it.path, prefix)))
    .filter((it) => !(how.without ?? []).some((prefix) => isBelow(it.path, prefix)));
  if (kept.length === 0) throw new UserError(`nothing of ${name} is left to unpack`, { hint: 'check strip, only, without' });
  const replaced = replaceTexts(name, kept, how.replace ?? []);
  return replaced.map((it) => ({ ...it, path: path.posix.join(how.into, it.path) })).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A folder's prefix, with or without a slash at its end, or one file's whole path. */
function isBelow(name: string, prefix: string): boolean {
  const clean = prefix.replace(/\/+$/, '');
  return name === clean || name.startsWith(`${clean}/`);
}

function replaceTexts(name: string, files: readonly UnpackedFile[], replacements: readonly Replacement[]): UnpackedFile[] {
  const out = new Map(files.map((it) => [it.path, it]));
  for (const { file, from, to, count } of replacements) {
    const found = out.get(file);
    if (found === undefined) throw cannotReplace(name, file, 'there is no such file', []);
    const parts = Buffer.from(found.content).toString('utf8').split(from);
    if (parts.length - 1 !== count) {
      const digest = createHash('sha256').update(found.content).digest('hex');
      throw cannotReplace(name, file, `the text is there ${parts.length - 1} times instead of ${count}`, [
        `text: ${from}`,
        `sha256 of ${file}: ${digest}`,
      ]);
    }
    out.set(file, { ...found, content: Buffer.from(parts.join(to)) });
  }
  return [...out.values()];
}

function cannotReplace(name: string, file: string, why: string, details: readonly string[]): UserError {
  return new UserError(`${file} in ${name} can't be changed as the component asks: ${why}`, {
    hint: 'the artifact is another version than the component was written for; correct its replace: entry',
    exitCode: exitCodes.badData,
    details,
  });
}
