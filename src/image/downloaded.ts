import { stat } from 'node:fs/promises';
import type { StageOutcome } from '../kernel/report.ts';
import type { Download } from '../plan/plan.ts';
import { artifactLayer } from './artifacts.ts';
import type { Cache } from './cache.ts';
import type { ImageContext } from './context.ts';
import { fetchDownload } from './downloads.ts';

/** A download and the file it is in. */
export interface Fetched {
  readonly download: Download;
  readonly file: string;
}

interface Told<T> {
  readonly value: T[];
  readonly outcome: StageOutcome;
}

/** All downloads, each from the cache where it is; as a stage tells it. */
export async function fetchAll(downloads: readonly Download[], cache: Cache, context: ImageContext): Promise<Told<Fetched>> {
  const value: Fetched[] = [];
  const outcome = { bytes: 0, cached: true };
  for (const download of downloads) {
    const { path: file, cached } = await fetchDownload(download, cache, context);
    value.push({ download, file });
    outcome.bytes += (await stat(file)).size;
    outcome.cached &&= cached;
  }
  return { value, outcome };
}

/** Downloads as archives of what they put where; as a stage tells it. */
export async function artifactLayers(downloads: readonly Fetched[], cache: Cache): Promise<Told<{ name: string; file: string }>> {
  const value: { name: string; file: string }[] = [];
  const outcome = { bytes: 0, cached: true };
  for (const { download, file } of downloads) {
    const layer = await artifactLayer(download, file, cache);
    value.push({ name: `a download of ${download.component}`, file: layer.path });
    outcome.bytes += (await stat(layer.path)).size;
    outcome.cached &&= layer.cached;
  }
  return { value, outcome };
}
