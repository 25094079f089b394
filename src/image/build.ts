import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type StageOutcome, stage } from '../kernel/report.ts';
import type { Download, Plan } from '../plan/plan.ts';
import { artifactLayer } from './artifacts.ts';
import { type Cache, type CacheEntry, cacheKey, openCache } from './cache.ts';
import type { ImageContext } from './context.ts';
import { writeDisk } from './disk.ts';
import { fetchDownload } from './downloads.ts';
import { tellFailure } from './failure.ts';
import { type ImageFile, type ImageResult, publishImage, unchangedImage } from './image-file.ts';
import { diskLayout, rootLabel } from './layout.ts';
import { openLog } from './log.ts';
import { type OutputFormat, outputFile, writeQcow2 } from './outputs.ts';
import { layerKey, packageLayer } from './packages.ts';
import { writeRootTar } from './root-tar.ts';
import { type FreeSpace, layerNeed, outputNeed, requireSpace } from './space.ts';
import { toolRoot } from './tools.ts';
import { withWorkFolder } from './work-folder.ts';

/** A build's context and the formats it is to make. */
export interface BuildContext extends ImageContext {
  readonly outputs: readonly OutputFormat[];
  /** Who tells how much room there is; unless given, the file systems. */
  readonly freeSpace?: FreeSpace;
}

/**
 * Builds the system disk of a plan into DIR/out, with a log in DIR/build.log. Nothing appears in DIR/out
 * before all of it succeeded, and an unchanged plan is not built again.
 * @throws UserError naming the stage, the command, its last lines and the log.
 */
export async function buildImage(plan: Plan, asked: BuildContext): Promise<ImageResult> {
  // Programs run in other folders than ours.
  const given = { ...asked, dir: path.resolve(asked.dir), cache: path.resolve(asked.cache) };
  const log = openLog(path.join(given.dir, 'build.log'), given.system, given.report);
  const progress = { stage: 'preparation', seconds: {} };
  try {
    const cache = await openCache(given.cache);
    const context = { ...given, system: log.system, report: log.report };
    return await withWorkFolder(given.dir, (work) => build(plan, { work, cache, context, progress }));
  } catch (error) {
    throw tellFailure(error, progress.stage, log);
  } finally {
    log.close();
  }
}

interface Building {
  readonly work: string;
  readonly cache: Cache;
  readonly context: BuildContext;
  /** Where we are, for failures, and how long it took, for image.json. */
  readonly progress: { stage: string; seconds: Record<string, number> };
}

/** The recipe. */
async function build(plan: Plan, building: Building): Promise<ImageResult> {
  const { work, cache, context } = building;
  const { dir, outputs, system } = context;
  const folder = path.join(dir, 'out');
  const tar = path.join(work, 'root.tar');
  const raw = path.join(work, outputFile('raw'));
  const inputs = await inputsKey(plan);
  const layout = diskLayout(plan.disk.rootMiB, inputs);

  await requireBuildSpace(plan, folder, building);
  const same = await unchangedImage(folder, inputs, outputs);
  if (same !== undefined) return step('image', building, async () => ({ value: same, outcome: { cached: true } }));

  const tools = await step('tool root', building, async () => {
    const root = await toolRoot('disk', cache, context);
    return { value: root.path, outcome: { cached: root.cached } };
  });
  const downloads = await step('downloads', building, () => fetchAll(plan.downloads, building));
  // Before the package layer: a replacement that no longer fits shows in seconds, not minutes.
  const artifacts = await step('files layer', building, () => artifactLayers(downloads, building));
  const packages = await step('package layer', building, async () => withBytes(await packageLayer(plan.layer, cache, context)));
  const root = await step('root file system', building, async () => {
    const value = await writeRootTar(tar, plan, { packages, artifacts }, layout.rootUuid);
    return { value, outcome: { bytes: value.bytes } };
  });
  await step('disk', building, async () => {
    await writeDisk(raw, { rootTar: tar, layout, seed: inputs, tools, work }, system);
    await rm(tar);
    return { value: undefined, outcome: { bytes: (await stat(raw)).blocks * 512 } };
  });
  await step('outputs', building, async () => {
    const qcow2 = path.join(work, outputFile('qcow2'));
    if (!outputs.includes('qcow2')) return { value: undefined };
    await writeQcow2(raw, qcow2, tools, system);
    return { value: undefined, outcome: { bytes: (await stat(qcow2)).blocks * 512 } };
  });
  return step('image', building, async () => {
    const { name, hostname, base } = plan;
    const { rootUuid: uuid } = layout;
    const image: Omit<ImageFile, 'bytes' | 'files'> = {
      format: 1,
      name,
      hostname,
      base: { ...base },
      components: plan.components.map((component) => component.name),
      id: root.sha256,
      inputs,
      built: system.now().toISOString(),
      rootMiB: plan.disk.rootMiB,
      kernel: root.kernel,
      root: { ...layout.root, label: rootLabel, uuid },
      seconds: building.progress.seconds,
      packages: [...root.packages],
    };
    return { value: await publishImage(image, { work, folder, outputs }) };
  });
}

/** Everything the image is made of, as one digest; identifiers on the disk follow from it too. */
async function inputsKey({ layer, downloads, files, disk, ...named }: Plan): Promise<string> {
  const pinned = downloads.map(({ source: _, ...rest }) => rest);
  return cacheKey({ format: 1, named, layer: await layerKey(layer), downloads: pinned, files, disk });
}

async function requireBuildSpace(plan: Plan, folder: string, { cache, context }: Building): Promise<void> {
  const hasLayer = await cache.has('layer', await layerKey(plan.layer));
  const needs = [
    { folder, bytes: outputNeed },
    { folder: context.cache, bytes: hasLayer ? 0 : layerNeed },
  ];
  await requireSpace(needs, context.freeSpace);
}

async function fetchAll(downloads: readonly Download[], { cache, context }: Building) {
  const value: { download: Download; file: string }[] = [];
  const outcome = { bytes: 0, cached: true };
  for (const download of downloads) {
    const { path: file, cached } = await fetchDownload(download, cache, context);
    value.push({ download, file });
    outcome.bytes += (await stat(file)).size;
    outcome.cached &&= cached;
  }
  return { value, outcome };
}

async function artifactLayers(downloads: readonly { download: Download; file: string }[], { cache }: Building) {
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

async function withBytes({ path: file, cached }: CacheEntry): Promise<{ value: string; outcome: StageOutcome }> {
  return { value: file, outcome: { bytes: (await stat(file)).size, cached } };
}

/** A stage of the report whose name and seconds are also kept. */
async function step<T>(
  name: string,
  { context, progress }: Building,
  work: () => Promise<{ value: T; outcome?: StageOutcome }>,
): Promise<T> {
  progress.stage = name;
  const begun = performance.now();
  const value = await stage(context.report, name, work);
  progress.seconds[name] = Math.round(performance.now() - begun) / 1000;
  return value;
}
