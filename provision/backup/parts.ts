import type { ApplianceCatalogue, ApplianceComponent } from '../../src/kernel/appliance.ts';
import type { ProjectSpecification } from '../../src/kernel/project.ts';
import { resourcesOf } from '../projects/resources.ts';

/** One root of a part: its name in the file, and where it lies. */
export interface Root {
  readonly name: string;
  /** A file or folder below /srv. */
  readonly place: string;
  /** The component's driver writes it in a form of its own. */
  readonly isDumped: boolean;
}

/** What belongs together in a backup: one component's share of one project, or of the appliance. */
export interface Part {
  /** `system/COMPONENT` or `projects/NAME/COMPONENT`. */
  readonly name: string;
  readonly component: string;
  /** Sorted by name. */
  readonly roots: readonly Root[];
  /** Roots, or paths that begin with a root's name. */
  readonly only: readonly string[];
  readonly derived: readonly string[];
  readonly setAside: readonly string[];
}

/** All parts of an appliance with these projects, in the order they are written. */
export function partsOf({ components, ...catalogue }: ApplianceCatalogue, projects: readonly ProjectSpecification[]): Part[] {
  const parts = (prefix: string, of: (component: ApplianceComponent) => Readonly<Record<string, string>>): Part[] =>
    components.flatMap((component) => partOf(`${prefix}/${component.name}`, component, of(component)));
  const system = parts('system', ({ backup }) => backup?.system ?? {});
  const named = [...projects].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    ...system,
    ...named.flatMap((project) => {
      const involved = new Set(resourcesOf({ components, ...catalogue }, project).map(({ component }) => component));
      return parts(`projects/${project.name}`, ({ name, backup }) =>
        involved.has(name) ? placesOf(backup?.project ?? {}, project.name) : {},
      );
    }),
  ];
}

function placesOf(patterns: Readonly<Record<string, string>>, project: string): Record<string, string> {
  return Object.fromEntries(Object.entries(patterns).map(([name, place]) => [name, place.replace('{project}', project)]));
}

function partOf(name: string, { name: component, backup }: ApplianceComponent, places: Readonly<Record<string, string>>): Part[] {
  const roots = Object.entries(places)
    .map(([root, place]) => ({ name: root, place, isDumped: backup?.dumped.includes(root) === true }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (roots.length === 0) return [];
  const own = (list: readonly string[] = []): string[] =>
    list.filter((it) => roots.some(({ name: root }) => it === root || it.startsWith(`${root}/`)));
  const { only, derived, setAside } = backup ?? {};
  return [{ name, component, roots, only: own(only), derived: own(derived), setAside: own(setAside) }];
}
