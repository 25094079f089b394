import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { didYouMean } from '../../src/kernel/nearest.ts';
import { type ProjectSpecification, projectSpecification } from '../../src/kernel/project.ts';
import type { ChangeProject, NewProject } from '../api/schemas.ts';
import { hasRole, vcsKinds } from './resources.ts';
import { requireTemplate, type Template } from './templates.ts';

/** What the door has to know to let a request in. */
export interface Door {
  readonly catalogue: ApplianceCatalogue;
  readonly templates: readonly Template[];
  /** Whether a person of this name is in the directory. */
  readonly isPerson: (name: string) => Promise<boolean>;
  readonly now: () => Date;
}

/** Words no project may be called: those of every component, and the appliance's own pages. */
export function reservedNames({ components }: ApplianceCatalogue): Set<string> {
  const pages = components.flatMap(({ web }) => web.map(({ at }) => at.split('/')[1] ?? ''));
  const own = ['admins', 'creators', 'services', 'users', 'api', 'password', 'status', 'devserver', 'site'];
  return new Set([...own, ...pages, ...components.flatMap(({ reserved }) => reserved)].filter((word) => word !== ''));
}

/** Words no person may be called: those, and the accounts that the components' programs have in the directory. */
export function reservedUserNames(catalogue: ApplianceCatalogue): Set<string> {
  const secrets = catalogue.components.flatMap((component) => Object.values(component.secrets));
  const accounts = secrets.flatMap(({ serviceAccount, userAccount }) => [serviceAccount, userAccount]);
  return new Set([...reservedNames(catalogue), ...accounts.filter((name) => name !== undefined)]);
}

/** A whole specification out of a request, all its faults told at once. @throws UserError */
export async function specificationOf(request: NewProject, by: string, door: Door): Promise<ProjectSpecification> {
  const { catalogue, templates } = door;
  const kinds = vcsKinds(catalogue);
  const faults: string[] = [];
  const note = (check: () => void): void => {
    try {
      check();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      faults.push(error.hint === undefined ? error.message : `${error.message} (${error.hint})`);
    }
  };
  if (reservedNames(catalogue).has(request.name)) faults.push(`the name ${request.name} is reserved`);
  const vcs = request.vcs ?? (kinds.includes('git') ? 'git' : kinds[0]) ?? '';
  if (!kinds.includes(vcs)) faults.push(`there is no ${vcs} here (one of ${kinds.join(', ')})`);
  const template = request.template ?? 'empty';
  note(() => {
    const { parts } = requireTemplate(templates, template);
    for (const part of parts) if (request[part] === false) faults.push(`the template ${template} needs ${part}`);
  });
  for (const part of ['maven', 'ci'] as const)
    if (request[part] === true && !hasRole(catalogue, part)) faults.push(`this appliance has no ${part}`);
  const members = { ...(request.members ?? {}) };
  // who makes a project looks after it; root is no person
  if (by !== 'root' && !Object.hasOwn(members, by)) members[by] = 'admin';
  faults.push(...(await strangers(Object.keys(members), door)));
  refuse(faults);
  return projectSpecification.parse({
    version: 1,
    name: request.name,
    title: request.title ?? request.name,
    description: request.description ?? '',
    vcs,
    visibility: request.visibility ?? 'private',
    archived: false,
    template,
    maven: request.maven ?? hasRole(catalogue, 'maven'),
    ci: request.ci ?? hasRole(catalogue, 'ci'),
    protectBranch: request.protectBranch ?? true,
    members,
    created: door.now().toISOString(),
    by,
  });
}

/** That a whole specification from elsewhere can be a project here. @throws UserError, all faults at once. */
export function requirePossible(
  project: ProjectSpecification,
  { catalogue, templates }: Pick<Door, 'catalogue' | 'templates'>,
): void {
  const faults: string[] = [];
  if (reservedNames(catalogue).has(project.name)) faults.push(`the name ${project.name} is reserved`);
  if (!vcsKinds(catalogue).includes(project.vcs)) faults.push(`there is no ${project.vcs} here`);
  for (const part of ['maven', 'ci'] as const)
    if (project[part] && !hasRole(catalogue, part)) faults.push(`this appliance has no ${part}`);
  if (!templates.some(({ name }) => name === project.template))
    faults.push(`its template ${project.template} is not here: put it into /srv/system/templates`);
  refuse(faults);
}

/** A project as it shall be after a change. @throws UserError */
export async function changedSpecification(
  before: ProjectSpecification,
  { members, formerly, ...rest }: ChangeProject,
  door: Pick<Door, 'isPerson'>,
): Promise<ProjectSpecification> {
  const wanted = { ...before.members };
  const faults: string[] = [];
  for (const [user, role] of Object.entries(members ?? {})) {
    if (role !== null) wanted[user] = role;
    else if (Object.hasOwn(wanted, user)) delete wanted[user];
    else {
      const meant = didYouMean(user, Object.keys(before.members));
      faults.push(`${user} is no member of ${before.name}${meant === undefined ? '' : ` (${meant})`}`);
    }
  }
  const freed = Object.keys(formerly ?? {});
  for (const name of freed) if (!before.formerly.includes(name)) faults.push(`${before.name} was never called ${name}`);
  const fresh = Object.entries(members ?? {}).flatMap(([user, role]) => (role === null ? [] : [user]));
  faults.push(...(await strangers(fresh, door)));
  refuse(faults);
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const kept = before.formerly.filter((name) => !freed.includes(name));
  return projectSpecification.parse({ ...before, ...given, members: wanted, formerly: kept });
}

async function strangers(users: readonly string[], { isPerson }: Pick<Door, 'isPerson'>): Promise<string[]> {
  const known = await Promise.all(users.map((it) => isPerson(it)));
  return users.filter((_, index) => known[index] !== true).map((it) => `there is no user ${it} (devserver user add ${it})`);
}

function refuse(faults: readonly string[]): void {
  if (faults.length === 0) return;
  const [first = ''] = faults;
  if (faults.length === 1) throw new UserError(first, { exitCode: exitCodes.badData });
  throw new UserError(`${faults.length} faults`, { exitCode: exitCodes.badData, details: faults });
}
