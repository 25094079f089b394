import { stat } from 'node:fs/promises';
import path from 'node:path';
import { type StageOutcome, stage } from '../kernel/report.ts';
import type { Feed } from '../kernel/system.ts';
import type { Lock } from '../lock/lock-file.ts';
import { type MachineShape, type OutputFormat, outputFile, outputFormats, withRaw } from '../plan/output-formats.ts';
import type { Plan } from '../plan/plan.ts';
import { type Cache, type CacheEntry, cacheKey, openCache } from './cache.ts';
import type { ImageContext } from './context.ts';
import { digestOfSparse } from './digest.ts';
import { writeDisk } from './disk.ts';
import { artifactLayers, fetchAll } from './downloaded.ts';
import { tellFailure } from './failure.ts';
import { type ImageResult, missingOutputs, type NewImage, publishImage, unchangedImage } from './image-file.ts';
import type { Installer } from './installer/parts.ts';
import { writeMerged } from './layers.ts';
import { type DiskLayout, diskLayout, rootLabel } from './layout.ts';
import { openLog } from './log.ts';
import { makeOutputs } from './outputs/make.ts';
import { outputRecipes } from './outputs/recipes.ts';
import type { SeedRequest } from './outputs/seed.ts';
import { type LayerRequest, layerKey, packageLayer } from './packages.ts';
import { type RootParts, withRoot } from './root-tar.ts';
import { writeBill } from './sbom/write.ts';
import { type FreeSpace, furtherNeed, layerNeed, outputNeed, requireSpace } from './space.ts';
import { lockedToolRoot } from './tools.ts';
import { withWorkFolder } from './work-folder.ts';

/** A build's context and the formats it is to make. */
export interface BuildContext extends ImageContext {
  readonly outputs: readonly OutputFormat[];
  /** The machine that the image is for, as some outputs say. */
  readonly machine: MachineShape;
  /** What the output `seed` is made of, where it is wanted. */
  readonly seed?: SeedRequest | undefined;
  /** Gives what the build takes from elsewhere, to the bit; asked once, with a context whose commands are logged. */
  readonly lock: (context: ImageContext) => Promise<Lock>;
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
    progress.stage = 'lock';
    const lock = await given.lock(context);
    return await withWorkFolder(given.dir, (work) => build(plan, { work, cache, context, progress, lock }));
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
  readonly lock: Lock;
  /** Where we are, for failures, and how long it took, for image.json. */
  readonly progress: { stage: string; seconds: Record<string, number> };
}

/** The recipe. */
async function build(plan: Plan, building: Building): Promise<ImageResult> {
  const { work, cache, context, lock } = building;
  const { dir, machine, system } = context;
  const folder = path.join(dir, 'out');
  const inputs = await inputsKey(plan, lock);
  const layout = diskLayout(plan.disk.rootMiB, inputs);
  const same = await unchangedImage(folder, inputs);
  const recipes = await outputRecipes(machine, context.seed);
  const made = missingOutputs(same, withRaw(context.outputs), recipes);
  const there = outputFormats.filter((format) => outputFile(format) in (same?.files ?? {}));
  // what is there by another recipe goes away too
  const isStale = missingOutputs(same, there, recipes).length > 0;
  if (same !== undefined && made.length === 0 && !isStale)
    return step('image', building, async () => ({ value: same, outcome: { cached: true } }));

  await requireBuildSpace(plan, folder, building);
  const tools = await step('tool root', building, async () => {
    const root = await lockedToolRoot('disk', lock, cache, context);
    return { value: root.path, outcome: { cached: root.cached } };
  });
  const raw = path.join(same === undefined ? work : folder, outputFile('raw'));
  const parts = same === undefined || made.includes('tar') ? await rootParts(plan, building) : undefined;
  const image = same ?? (await makeImage(plan, building, { raw, parts, layout, inputs, tools }));
  const installer = made.includes('seed') ? await seedParts(building, parts) : undefined;
  const digests = await step('outputs', building, async () => {
    const digest = made.includes('raw') ? digestOfSparse(raw, tools, system) : undefined;
    // told where it is waited for
    digest?.catch(() => {});
    const there = new Map(
      outputFormats
        .filter((format) => outputFile(format) in (same?.files ?? {}))
        .map((it) => [it, path.join(folder, outputFile(it))]),
    );
    const told = { name: plan.name, title: plan.base.title, inputs };
    const writeRoot: Feed = (write) =>
      withRoot(plan, known(parts), layout.rootUuid, async ({ merged }) => void (await writeMerged(merged, write)));
    await makeOutputs(made, { raw, writeRoot, seed: installer, work, there, tools, image: told, machine, system });
    return { value: new Map<OutputFormat, string>(digest === undefined ? [] : [['raw', await digest]]) };
  });
  return step('image', building, async () => ({
    value: await publishImage(image, { work, folder, made, digests, recipes, same }),
  }));
}

interface ImageParts {
  readonly raw: string;
  readonly parts: RootParts | undefined;
  readonly layout: DiskLayout;
  readonly inputs: string;
  readonly tools: string;
}

/** The raw disk, and the bill of what is on it. */
async function makeImage(plan: Plan, building: Building, { raw, parts, layout, inputs, tools }: ImageParts): Promise<NewImage> {
  const { work, context, progress } = building;
  return withRoot(plan, known(parts), layout.rootUuid, async (root) => {
    let id = '';
    const writeRoot: Feed = async (write) => {
      id = (await writeMerged(root.merged, write)).sha256;
    };
    await step('disk', building, async () => {
      await writeDisk(raw, { writeRoot, layout, seed: inputs, tools, work }, context.system);
      return { value: undefined, outcome: { bytes: (await stat(raw)).blocks * 512 } };
    });
    await step('bill of materials', building, async () => ({ value: await writeBill(work, plan, root, id) }));
    return {
      format: 1,
      name: plan.name,
      hostname: plan.hostname,
      base: { ...plan.base },
      components: plan.components.map((component) => component.name),
      id,
      inputs,
      built: context.system.now().toISOString(),
      rootMiB: plan.disk.rootMiB,
      kernel: root.kernel,
      root: { ...layout.root, label: rootLabel, uuid: layout.rootUuid },
      seconds: progress.seconds,
      packages: [...root.packages],
    };
  });
}

/** The archives that make the root file system. */
async function rootParts(plan: Plan, building: Building): Promise<RootParts> {
  const { cache, context, lock } = building;
  // Before the package layer: a replacement that no longer fits shows in seconds, not minutes.
  const artifacts = await artifactsOf(plan, building);
  const packages = await step('package layer', building, async () =>
    withBytes(await packageLayer(layerOf(plan, lock), cache, context)),
  );
  return { packages, artifacts };
}

/** A plan's downloads, taken apart. */
async function artifactsOf({ downloads }: Plan, building: Building): Promise<RootParts['artifacts']> {
  const { cache, context } = building;
  const fetched = await step('downloads', building, () => fetchAll(downloads, cache, context));
  return step('files layer', building, () => artifactLayers(fetched, cache));
}

/** What the seed is made of: the artifacts, which are the image's, and the keys that the lock has. */
async function seedParts(building: Building, parts: RootParts | undefined): Promise<{ seed: SeedRequest; installer: Installer }> {
  const { context, lock } = building;
  if (context.seed === undefined) throw new Error('nobody said what the seed is made of');
  const { installer } = context.seed;
  const artifacts = parts?.artifacts ?? (await artifactsOf(installer.plan, building));
  return { seed: context.seed, installer: { ...installer, artifacts, keys: new Map(Object.entries(lock.keys)) } };
}

function known(parts: RootParts | undefined): RootParts {
  if (parts === undefined) throw new Error('the root file system was not prepared');
  return parts;
}

/** Everything the image is made of, as one digest; identifiers on the disk follow from it too. */
async function inputsKey(
  { layer, downloads, files, disk, snapshot: _, estimate: __, ...named }: Plan,
  lock: Lock,
): Promise<string> {
  const pinned = downloads.map(({ source: _, ...rest }) => rest);
  return cacheKey({
    format: 2,
    named,
    layer: await layerKey({ layer, lock }),
    tools: lock.tools.map(({ sha256 }) => sha256),
    downloads: pinned,
    files,
    disk,
  });
}

const layerOf = ({ layer, snapshot }: Plan, lock: Lock): LayerRequest => ({ layer, lock, snapshot });

async function requireBuildSpace(plan: Plan, folder: string, { cache, context, lock }: Building): Promise<void> {
  const hasLayer = await cache.has('layer', await layerKey(layerOf(plan, lock)));
  const needs = [
    { folder, bytes: outputNeed + furtherNeed * context.outputs.length },
    { folder: context.cache, bytes: hasLayer ? 0 : layerNeed },
  ];
  await requireSpace(needs, context.freeSpace);
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
