import type { BaseData } from '../kernel/catalogue/base-schema.ts';
import type { Component } from '../kernel/catalogue/load.ts';
import { sizeInMiB } from '../kernel/size.ts';

/** What a choice comes to, in MiB: what the first build fetches, the compressed image, and memory while nobody does anything. */
export interface Estimate {
  readonly download: number;
  readonly image: number;
  readonly idle: number;
  /** Titles of components that nobody has measured: they come on top. */
  readonly besides: readonly string[];
}

/**
 * From the sizes in the data: the base's, each component's beside it, and each package's once that several may ask for by role.
 * Undefined for a base nobody has measured.
 */
export function estimateOf(base: BaseData, components: readonly Component[]): Estimate | undefined {
  if (base.size === undefined) return undefined;
  const roles = new Set(components.flatMap(({ data }) => data.install.packages.flatMap((it) => rolesIn(it))));
  const parts = [base.size, ...[...roles].map((role) => base.roles[role]?.size), ...components.map(({ data }) => data.size)];
  const idle = [base.size.idle, ...components.map(({ data }) => data.memory?.idle ?? '0M')];
  const sum = (sizes: readonly string[]): number => sizes.reduce((all, it) => all + sizeInMiB(it), 0);
  return {
    download: sum(parts.map((it) => it?.download ?? '0M')),
    image: sum(parts.map((it) => it?.image ?? '0M')),
    idle: sum(idle),
    besides: components.filter(isUnmeasured).map(({ data }) => data.title),
  };
}

/** For people: it is none of the figures of a build. */
export function estimateText({ download, image, idle, besides }: Estimate): string {
  const more = besides.length === 0 ? '' : `, and ${besides.join(', ')}, which nobody has measured`;
  return `about ${shown(download)} to download at first, an image of ${shown(image)}, no more than ${shown(idle)} of memory when idle${more}`;
}

function isUnmeasured({ data: { size, install } }: Component): boolean {
  return size === undefined && (install.downloads.length > 0 || install.packages.some((it) => rolesIn(it).length === 0));
}

const rolesIn = (it: Component['data']['install']['packages'][number]): string[] =>
  typeof it === 'object' && 'role' in it ? [it.role] : [];

/** To two figures: more it does not know. In units of 1000, as all sizes of files are told. */
function shown(mebibytes: number): string {
  const megabytes = mebibytes * 1.048576;
  return megabytes < 1000 ? `${Number(megabytes.toPrecision(2))} MB` : `${(megabytes / 1000).toFixed(1)} GB`;
}
