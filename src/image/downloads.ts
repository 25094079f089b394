import path from 'node:path';
import { UserError } from '../kernel/errors.ts';
import type { Download, DownloadSource } from '../plan/plan.ts';
import type { Cache, CacheEntry } from './cache.ts';
import type { ImageContext } from './context.ts';
import { fetchToFile } from './fetch.ts';
import { mavenFileName, mavenUrl } from './sources/maven.ts';
import { npmUrl } from './sources/npm.ts';
import { defaultPypiIndex, pypiUrl } from './sources/pypi.ts';
import { toolRoot } from './tools.ts';

/**
 * The pinned artifact, from the store or from where it is published. Its digest is its name in the store,
 * so a cached one needs no network.
 * @throws UserError naming both digests when another file arrives; that file is deleted.
 */
export async function fetchDownload(download: Download, cache: Cache, context: ImageContext): Promise<CacheEntry> {
  return cache.getOrMakeFile('download', download.sha256, async (temporary) => {
    const name = artifactName(download.source);
    const url = await resolveUrl(download, cache, context);
    context.report({ type: 'log', text: `fetching ${url}` });
    const got = await fetchToFile(url, temporary, {
      signal: context.signal,
      onProgress: (received, total = download.bytes) =>
        context.report({
          type: 'progress',
          name: 'downloads',
          text: name,
          ...(total === undefined ? {} : { fraction: Math.min(1, received / total) }),
        }),
    });
    verify(download, name, url, got);
  });
}

/** File name of an artifact, known without asking anybody. */
export function artifactName(source: DownloadSource): string {
  if ('maven' in source) return mavenFileName(source.maven);
  if ('npm' in source) return `${source.npm.replace(/^@[^/]*\//, '')}-${source.version}.tgz`;
  if ('pypi' in source) return `${source.pypi}-${source.version}.${source.form === 'wheel' ? 'whl' : 'tar.gz'}`;
  return path.posix.basename(new URL(source.url).pathname);
}

async function resolveUrl(download: Download, cache: Cache, context: ImageContext): Promise<string> {
  const { source, sha256 } = download;
  const { mirrors, system } = context;
  if ('maven' in source) return mavenUrl(source.maven, mirrors.maven);
  if ('npm' in source) return npmUrl(source.npm, source.version, mirrors.npm, system);
  if ('pypi' in source) {
    const index =
      mirrors.pypi ?? system.env.PIP_INDEX_URL ?? (await defaultPypiIndex((await toolRoot('pypi', cache, context)).path));
    return pypiUrl({ name: source.pypi, version: source.version, form: source.form, sha256 }, index, context.signal);
  }
  return source.url;
}

function verify(download: Download, name: string, url: string, got: { readonly sha256: string; readonly bytes: number }): void {
  const sizeIsWrong = download.bytes !== undefined && download.bytes !== got.bytes;
  if (got.sha256 === download.sha256 && !sizeIsWrong) return;
  const what = got.sha256 === download.sha256 ? 'size' : 'digest';
  throw new UserError(`${name} of ${download.component} has the wrong ${what}; the file was deleted`, {
    hint: 'the publisher or a mirror changed it: verify it by hand before pinning the new digest',
    details: [
      `expected ${download.sha256}${download.bytes === undefined ? '' : ` (${download.bytes} bytes)`}`,
      `found    ${got.sha256} (${got.bytes} bytes)`,
      `at       ${url}`,
    ],
  });
}
