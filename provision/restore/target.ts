import path from 'node:path';
import type { ApplianceCatalogue, ApplianceComponent } from '../../src/kernel/appliance.ts';
import { asideFolder } from '../../src/kernel/backup/layout.ts';
import type { EntryPlace } from '../../src/kernel/backup/order.ts';
import { isData } from '../backup/data.ts';

/** Where an entry of a backup goes to. */
export type Target =
  /** To this place below /srv. */
  | { readonly is: 'data'; readonly place: string }
  /** To the component's driver, which wrote it in a form of its own. */
  | { readonly is: 'dump'; readonly component: string; readonly root: string; readonly below: string }
  /** Where nobody takes it for data. */
  | { readonly is: 'aside'; readonly below: string };

/** The appliance or a project, and the component, out of a part's name. */
export function ownerOf(part: string): { readonly project: string | undefined; readonly component: string } {
  const words = part.split('/');
  return words.length === 3
    ? { project: words[1], component: words[2] ?? '' }
    : { project: undefined, component: words[1] ?? '' };
}

/** The projects that have parts among these, each once, in order. */
export function projectsIn(parts: readonly string[]): string[] {
  return [...new Set(parts.flatMap((part) => ownerOf(part).project ?? []))].sort();
}

/**
 * Says where entries go to. Where a root lies, and what in it is data, is this appliance's business: whatever it does not
 * know as data is set aside, also of a component it does not have.
 * @param named gives a project another name.
 */
export function targetBy({ components }: ApplianceCatalogue, named: (project: string) => string): (entry: EntryPlace) => Target {
  const known = new Map(components.map((component) => [component.name, component]));
  return ({ part, path: below }) => {
    const { project, component } = ownerOf(part);
    const backup = known.get(component)?.backup;
    const aside: Target = { is: 'aside', below: path.posix.join(part, below.replace(new RegExp(`^${asideFolder}(/|$)`), '')) };
    const [root = ''] = below.split('/', 1);
    if (backup === undefined || root === asideFolder || !isData(backup, below)) return aside;
    if (project === undefined && backup.dumped.includes(root))
      return { is: 'dump', component, root, below: below.slice(root.length + 1) };
    const place = placeOfRoot(backup, root, project === undefined ? undefined : named(project));
    return place === undefined ? aside : { is: 'data', place: `${place}${below.slice(root.length)}` };
  };
}

/** Where a root of a component lies when it is live: of the appliance, or of a project of this name; undefined: it has no such root. */
export function placeOfRoot(
  { system, project }: Pick<NonNullable<ApplianceComponent['backup']>, 'system' | 'project'>,
  root: string,
  name: string | undefined,
): string | undefined {
  if (name === undefined) return Object.hasOwn(system, root) ? system[root] : undefined;
  return Object.hasOwn(project, root) ? project[root]?.replace('{project}', name) : undefined;
}
