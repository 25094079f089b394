import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PackageLayer } from '../plan/plan.ts';
import { bootstrapCommand, requireBootstrapTools, runBootstrap } from './bootstrap.ts';
import { type Cache, type CacheEntry, cacheKey } from './cache.ts';
import { type ImageContext, sourceDateEpoch } from './context.ts';
import { hookNames, hooksFolder, writeParameters } from './package-parameters.ts';
import { fetchSourceKeys } from './source-keys.ts';

/** Key of the package layer: what it is asked to be and the hooks that shape it. */
export async function layerKey(layer: PackageLayer): Promise<string> {
  const hooks = await Promise.all((await hookNames()).map((name) => readFile(path.join(hooksFolder(), name), 'utf8')));
  return cacheKey({ format: 1, layer, hooks, sourceDateEpoch });
}

/**
 * The package layer: a tar of everything that comes from the distribution, made by mmdebstrap without
 * touching the machine; as an ordinary user in a user namespace.
 * @throws UserError when mmdebstrap or the archive's keyring is missing, or mmdebstrap fails.
 */
export async function packageLayer(layer: PackageLayer, cache: Cache, context: ImageContext): Promise<CacheEntry> {
  return cache.getOrMake('layer', await layerKey(layer), async (temporary) => {
    await requireBootstrapTools(layer.keyring, context);
    const parameters = await mkdtemp(path.join(tmpdir(), 'devserver-layer-'));
    try {
      await writeParameters(parameters, layer, await fetchSourceKeys(layer.extraSources, context));
      // As root the tree grows beside the cache, where the space was checked; a user namespace can't enter
      // a private home, so there it stays in the machine's temporary folder.
      const tree = context.system.isRoot ? `${temporary}.tree` : undefined;
      if (tree !== undefined) await mkdir(tree);
      await runBootstrap(bootstrapCommand(layer, parameters, temporary, tree, context.system), context);
    } finally {
      await rm(`${temporary}.tree`, { recursive: true, force: true });
      await rm(parameters, { recursive: true, force: true });
    }
  });
}
