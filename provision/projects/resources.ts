import type { ApplianceCatalogue, ApplianceComponent } from '../../src/kernel/appliance.ts';
import type { ProjectResource } from '../../src/kernel/catalogue/project-schema.ts';
import { UserError } from '../../src/kernel/errors.ts';
import type { ProjectSpecification } from '../../src/kernel/project.ts';

/** One declared thing of a project, with the component that declares it. */
export interface Resource extends ProjectResource {
  /** COMPONENT.id: its one name in plans, journals and messages. */
  readonly key: string;
  readonly component: string;
}

type Shape = Pick<ProjectSpecification, 'vcs' | 'maven' | 'ci' | 'visibility' | 'archived'>;

/** Every resource a project of this shape consists of, in the order they are made: those that let people in come last. */
export function resourcesOf(catalogue: ApplianceCatalogue, project: Shape): Resource[] {
  const all = catalogue.components
    .filter((component) => takesPart(component, project))
    .flatMap(resourcesOfComponent)
    .filter(({ when }) => when === undefined || holds(when, project));
  return [...all.filter(({ opens }) => !opens), ...all.filter(({ opens }) => opens)];
}

/** Every resource any project can have here, in no order. */
export function possibleResources(catalogue: ApplianceCatalogue): Resource[] {
  return catalogue.components.flatMap(resourcesOfComponent);
}

/** The component whose driver makes this kind of resource for others. @throws UserError when there is none. */
export function componentOffering({ components }: ApplianceCatalogue, kind: string): string {
  const found = components.find(({ driver }) => driver?.offers.includes(kind) === true);
  if (found === undefined) throw new UserError(`nothing in this appliance offers the kind ${kind}`);
  return found.name;
}

/** Kinds of version control this appliance has. */
export function vcsKinds(catalogue: ApplianceCatalogue): string[] {
  return catalogue.components.flatMap(({ provides }) =>
    provides.filter((role) => role.startsWith('vcs:')).map((role) => role.slice('vcs:'.length)),
  );
}

/** Whether some component has this role. */
export function hasRole(catalogue: ApplianceCatalogue, role: string): boolean {
  return catalogue.components.some(({ provides }) => provides.includes(role));
}

function resourcesOfComponent({ name, project }: ApplianceComponent): Resource[] {
  return project.map((it) => ({ ...it, component: name, key: `${name}.${it.id}` }));
}

/** A provider of an optional role takes part in those projects only that have the part. */
function takesPart({ provides }: ApplianceComponent, { vcs, maven, ci }: Shape): boolean {
  const kinds = provides.filter((role) => role.startsWith('vcs:'));
  if (kinds.length > 0 && !kinds.includes(`vcs:${vcs}`)) return false;
  return (maven || !provides.includes('maven')) && (ci || !provides.includes('ci'));
}

function holds(condition: NonNullable<ProjectResource['when']>, { visibility, archived, ci, maven }: Shape): boolean {
  switch (condition) {
    case 'internal':
      return visibility === 'internal';
    case 'active':
      return !archived;
    case 'ci':
      return ci;
    case 'maven':
      return maven;
  }
}
