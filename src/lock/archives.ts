import type { PackageSources } from '../plan/plan.ts';
import type { Pocket } from '../plan/pockets.ts';

/** An archive of packages as apt knows it. */
export interface Archive {
  /** Its name in the lock; those at one address share it. */
  readonly name: string;
  readonly at: string;
  readonly suite: string;
  readonly packageComponents: readonly string[];
  /** Whether it is one of the base's own, and not a further source. */
  readonly isOwn: boolean;
}

/**
 * The archives packages may come from; those with security updates first, so that what they hold comes from there.
 * @param own The base's own, the main one first, which gets the name `main`.
 */
export function archivesOf(
  { packageComponents, extraSources }: PackageSources,
  own: readonly Pocket[],
  main = 'main',
): Archive[] {
  const mirror = own[0]?.url ?? '';
  const owns = own.map(({ url, suite }) => ({ at: withoutSlash(url), suite, packageComponents, isOwn: true, wish: suite }));
  const extras = extraSources.map(({ name, url, suite, packageComponents: components }) => ({
    ...{ at: withoutSlash(url ?? mirror), suite, packageComponents: components, isOwn: false, wish: `source-${name}` },
  }));
  const names = new Map<string, string>([[withoutSlash(mirror), main]]);
  return [...owns.filter(isSecurity), ...owns.filter((it) => !isSecurity(it)), ...extras].map(({ wish, ...archive }) => {
    const name = names.get(archive.at) ?? (main === 'main' ? wish : `${main}-${wish}`);
    names.set(archive.at, name);
    return { ...archive, name };
  });
}

export const isSecurity = ({ suite }: Pick<Archive, 'suite'>): boolean => suite.endsWith('-security');

const withoutSlash = (url: string): string => url.replace(/\/$/, '');
