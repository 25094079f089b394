import { type CacheItem, cacheContents, pruneCache } from '../image/cache-contents.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { didYouMean } from '../kernel/nearest.ts';
import { size } from '../terminal/plain.ts';
import type { CommandContext, CommonOptions } from './context.ts';

export interface CacheOptions extends CommonOptions {
  readonly days?: string;
}

const dayInMs = 86_400_000;
const words: Readonly<Record<CacheItem['kind'], string>> = {
  tools: 'programs that make and run disks',
  download: 'artifacts',
  deb: 'packages',
  control: 'what packages say of themselves',
  layer: 'installed packages as one archive each',
  artifact: 'artifacts taken apart',
  programs: 'programs of appliances, bundled',
};

/** `cache list` and `cache prune`: what builds keep for the next one. */
export async function runCache(what: string, options: CacheOptions, context: CommandContext): Promise<void> {
  if (what === 'list') return list(context);
  if (what === 'prune') return prune(Number(options.days ?? '30'), options.dryRun === true, context);
  const meant = didYouMean(what, ['list', 'prune']) ?? 'cache list, or cache prune';
  throw new UserError(`the cache can't ${JSON.stringify(what)}`, { exitCode: exitCodes.usage, hint: meant });
}

async function list({ cache, output }: CommandContext): Promise<void> {
  const items = await cacheContents(cache);
  const lines = (Object.keys(words) as CacheItem['kind'][]).flatMap((kind) => {
    const own = items.filter((it) => it.kind === kind);
    return own.length === 0
      ? []
      : [`${kind.padEnd(9)} ${shown(own).padStart(8)}  ${String(own.length).padStart(5)}  ${words[kind]}`];
  });
  const all = `${cache}: ${items.length === 0 ? 'empty' : shown(items)}`;
  output.result([...lines, all].join('\n'), {
    cache,
    bytes: sum(items),
    items: items.map((it) => ({ ...it, used: it.used.toISOString() })),
  });
}

async function prune(days: number, isDryRun: boolean, { cache, output, system }: CommandContext): Promise<void> {
  const before = new Date(system.now().getTime() - days * dayInMs);
  const gone = isDryRun ? (await cacheContents(cache)).filter(({ used }) => used < before) : await pruneCache(cache, before);
  const what = gone.length === 0 ? `nothing that no build has taken for ${days} days` : `${gone.length} entries, ${shown(gone)}`;
  output.result(`${isDryRun ? 'would delete' : 'deleted'} ${what}`, {
    ...{ cache, bytes: sum(gone), dryRun: isDryRun },
    items: gone.map((it) => ({ ...it, used: it.used.toISOString() })),
  });
}

const sum = (items: readonly CacheItem[]): number => items.reduce((all, { bytes }) => all + bytes, 0);
const shown = (items: readonly CacheItem[]): string => size(sum(items)) ?? '';
