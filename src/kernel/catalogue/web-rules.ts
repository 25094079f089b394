import { ownPages } from '../appliance.ts';
import type { Fault } from '../errors.ts';
import type { Component } from './load.ts';

/** Access tables meet only within one component: another's path below one's own would take its place. */
export function webRootsAreDisjoint(components: readonly Component[]): Fault[] {
  const roots = components.flatMap((component) =>
    component.data.web.map(({ at }, index) => ({ component, at, index, root: rootOf(at) })),
  );
  return roots.flatMap(({ component, at, index, root }, position) => {
    if (at === '/') return [];
    const place = ['web', index, 'at'];
    if (ownPages.some((page) => overlap(page, root)))
      return [component.yaml.faultAt(place, `web path ${at} is one of the appliance's own pages`)];
    const other = roots
      .slice(0, position)
      .find((it) => it.component !== component && it.at !== '/' && it.at !== at && overlap(it.root, root));
    return other === undefined
      ? []
      : [component.yaml.faultAt(place, `web path ${at} overlaps with ${other.at} of ${other.component.data.name}`)];
  });
}

function rootOf(at: string): string {
  return (at.split('{project}')[0] ?? '').replace(/\/$/, '');
}

function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
