import { stage } from '../kernel/report.ts';
import type { System } from '../kernel/system.ts';
import { type Apt, type AptArchives, withApt } from '../lock/apt.ts';
import { archivesOf, isSecurity } from '../lock/archives.ts';
import { type Change, changesBetween } from '../lock/changes.ts';
import type { Lock } from '../lock/lock-file.ts';
import type { PackageSources, Plan } from '../plan/plan.ts';
import type { Pocket } from '../plan/pockets.ts';
import { requireBootstrapTools } from './bootstrap.ts';
import { cacheKey } from './cache.ts';
import type { ImageContext } from './context.ts';
import { defaultSources } from './default-sources.ts';
import { artifactName } from './downloads.ts';
import { fetchSourceKeys } from './source-keys.ts';
import { toolPackages } from './tools.ts';

/** A lock, and what is another in it than in the one before. */
export interface Resolved {
  readonly lock: Lock;
  readonly changes: readonly Change[];
}

/** Whether a lock is for this plan: nothing has changed that decides which packages there are, and where updates come from. */
export async function fits(lock: Lock, plan: Plan): Promise<boolean> {
  const [mirror, ...pockets] = plan.layer.own ?? [];
  const has = ({ url, suite }: Pocket): boolean => lock.sources.some((it) => it.url === url && it.suite === suite);
  // one that does not answer today is not among them
  const isFrom = mirror === undefined || (mirror.url === lock.sources[0]?.url && pockets.every(has));
  return isFrom && lock.wanted === (await wantedKey(plan));
}

/** Digest of everything that decides which packages and artifacts a plan takes. */
async function wantedKey({ base, layer, downloads }: Plan): Promise<string> {
  const { suite, architecture, packageComponents, extraSources, packages } = layer;
  const sources = extraSources.map(({ name, url, suite: of, packageComponents: components, packages: names }) => ({
    ...{ name, url, of, components, names },
  }));
  const digests = downloads.map(({ sha256 }) => sha256);
  const tools = await toolPackages('disk');
  return cacheKey({ format: 1, base: base.name, suite, architecture, packageComponents, sources, packages, digests, tools });
}

/**
 * What the archives have for a plan today: the packages a build would install, and those with the programs that make disks.
 * @throws UserError when an archive does not answer or lacks something.
 */
export async function resolveLock(plan: Plan, context: ImageContext, before?: Lock): Promise<Resolved> {
  return stage(context.report, 'lock', async () => {
    const { system } = context;
    const ofTools = await toolPackages('disk');
    const base = await aptArchives(plan.layer, context);
    const aside = { ...(await aptArchives(ofTools, context)), main: 'tools' };
    const packages = await withApt(base, system, async (apt) => {
      const found = await apt.resolve(packagesFor(plan.layer));
      return { found, changes: await told(changesBetween(before?.packages ?? found, found), apt, system) };
    });
    const tools = await withApt(aside, system, async (apt) => {
      const found = await apt.resolve(ofTools.packages);
      return { found, changes: await told(changesBetween(before?.tools ?? found, found), apt, system) };
    });
    const archives = [base, aside].flatMap(({ sources, own, main }: AptArchives) => archivesOf(sources, own, main));
    const lock: Lock = {
      version: 1,
      made: system.now().toISOString(),
      base: plan.base.name,
      wanted: await wantedKey(plan),
      sources: [...base.own],
      keys: Object.fromEntries(base.keys),
      archives: Object.fromEntries(archives.map(({ name, at }) => [name, at])),
      packages: packages.found,
      tools: tools.found,
      artifacts: plan.downloads.map(({ source, component, sha256, bytes }) => ({
        ...{ name: artifactName(source), of: component, sha256, ...(bytes === undefined ? {} : { bytes }) },
      })),
    };
    return { value: { lock, changes: [...packages.changes, ...tools.changes.map((change) => ({ ...change, isTool: true }))] } };
  });
}

/** Where packages are looked for, with the keys of further sources. @throws UserError when a keyring or a program is missing. */
export async function aptArchives(sources: PackageSources, context: ImageContext): Promise<AptArchives> {
  await requireBootstrapTools(sources.keyring, context);
  const keys = await fetchSourceKeys(sources.extraSources, context);
  return { sources, own: sources.own ?? (await defaultSources(sources, context.system)), keys, folder: context.cache };
}

/** The same changes, with what is for security: an archive of such updates has something newer than there was. */
async function told(changes: readonly Change[], { versionsOf }: Apt, system: System): Promise<Change[]> {
  const newer = changes.filter(({ from, to }) => from !== undefined && to !== undefined);
  const versions = await versionsOf(newer.map(({ name }) => name));
  const isNewer = async (version: string, than: string): Promise<boolean> =>
    (await system.run({ file: 'dpkg', args: ['--compare-versions', version, 'gt', than] }, { accept: [0, 1] })).exitCode === 0;
  const urgent = new Set<string>();
  for (const { name, from = '' } of newer)
    for (const { version } of (versions.get(name) ?? []).filter(isSecurity)) if (await isNewer(version, from)) urgent.add(name);
  return changes.map((change) => ({ ...change, security: urgent.has(change.name) }));
}

/** What apt is asked for, as mmdebstrap asks it: what is essential, apt itself, what is named. */
export function packagesFor({ suite, architecture, packages }: PackageSources): string[] {
  const release = `?or(?archive(^${suite}$),?codename(^${suite}$))`;
  return ['apt', `?narrow(${release},?architecture(${architecture}),?essential)`, ...packages];
}
