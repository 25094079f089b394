import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Lock } from '../lock/lock-file.ts';
import type { PackageLayer } from '../plan/plan.ts';
import { bootstrapCommand, requireBootstrapTools, runBootstrap } from './bootstrap.ts';
import { type Cache, type CacheEntry, cacheKey, openFolder } from './cache.ts';
import { type ImageContext, sourceDateEpoch } from './context.ts';
import { fetchDebs } from './debs.ts';
import { writeLocalArchive } from './local-archive.ts';
import { hookNames, hooksFolder, writeParameters } from './package-parameters.ts';
import { settleLayer } from './settle.ts';

/** What the package layer is made of. */
export interface LayerRequest {
  readonly layer: PackageLayer;
  readonly lock: Lock;
  readonly snapshot?: string | undefined;
}

/** Key of the package layer: what it is asked to be, its packages by their digests, and the hooks that shape it. */
export async function layerKey({ layer, lock }: LayerRequest): Promise<string> {
  const hooks = await Promise.all((await hookNames()).map((name) => readFile(path.join(hooksFolder(), name), 'utf8')));
  const debs = lock.packages.map(({ sha256 }) => sha256).sort();
  // the lock says where from, whatever is named today
  const { own: _, ...shape } = layer;
  return cacheKey({ format: 4, layer: shape, sources: lock.sources, keys: lock.keys, debs, hooks, sourceDateEpoch });
}

/**
 * The package layer: a tar of everything that comes from the distribution, made by mmdebstrap of the locked packages without
 * touching the machine; as an ordinary user in a user namespace.
 * @throws UserError when mmdebstrap is missing or fails, or packages can't be had.
 */
export async function packageLayer(request: LayerRequest, cache: Cache, context: ImageContext): Promise<CacheEntry> {
  const { layer, lock, snapshot } = request;
  return cache.getOrMake('layer', await layerKey(request), async (temporary) => {
    await requireBootstrapTools(layer.keyring, context);
    const parameters = await openFolder();
    try {
      const debs = await fetchDebs({ lock, snapshot, packages: lock.packages, stage: 'package layer' }, cache, context);
      await writeParameters(parameters, layer, { own: lock.sources, keys: new Map(Object.entries(lock.keys)) });
      // As root the tree grows beside the cache, where the space was checked; a user namespace can't enter
      // a private home, so there it stays in the machine's temporary folder.
      const tree = context.system.isRoot ? `${temporary}.tree` : undefined;
      if (tree !== undefined) await mkdir(tree);
      const pool = context.system.isRoot ? `${temporary}.archive` : path.join(parameters, 'archive');
      const archive = await writeLocalArchive(pool, debs, layer);
      await runBootstrap(bootstrapCommand(layer, { parameters, archive }, temporary, tree, context.system), context);
      await settleLayer(temporary);
    } finally {
      await rm(`${temporary}.tree`, { recursive: true, force: true });
      await rm(`${temporary}.archive`, { recursive: true, force: true });
      await rm(parameters, { recursive: true, force: true });
    }
  });
}
