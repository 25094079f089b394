import type { ApplianceCatalogue, ApplianceComponent } from '../../../src/kernel/appliance.ts';
import type { Person, TestProject } from './projects.ts';

export type Visitor = Person | 'anonymous';
export const visitors: readonly Visitor[] = ['admin', 'ann', 'dev', 'rob', 'out', 'anonymous'];

/** One `web` entry of a component as the image's catalogue has it. */
export type WebEntry = ApplianceComponent['web'][number];
export type Action = 'read' | 'write';

/** What the access tables promise a visitor; 401 to strangers, 403 to everybody else who may not. */
export type Answer = 'yes' | '401' | '403';

/** The one reading of a component's access table that every test compares the appliance with. */
export function promised(web: WebEntry, action: Action, visitor: Visitor, project: TestProject | undefined): Answer {
  if (visitor === 'anonymous') return '401';
  return mayDo(web, action, visitor, project) ? 'yes' : '403';
}

function mayDo({ access, readOnly }: WebEntry, action: Action, person: Person, project: TestProject | undefined): boolean {
  if (action === 'write' && readOnly) return false;
  if (action === 'write' && project?.archived === true && !access.writeArchived) return false;
  // the site's administrator has every right that anybody has
  if (person === 'admin') return true;
  if (access[action].includes('any-user')) return true;
  const role = project?.members[person];
  if (role !== undefined && access[action].includes(role)) return true;
  return action === 'read' && project?.internal === true && access.readInternal.includes('any-user');
}

/** All `web` entries with the component they belong to. */
export function webEntries(catalogue: ApplianceCatalogue): { component: string; web: WebEntry }[] {
  return catalogue.components.flatMap(({ name, web }) => web.map((entry) => ({ component: name, web: entry })));
}

/** The path of an entry for a project. */
export function pathOf({ at }: WebEntry, project: string): string {
  return at.replace('{project}', project);
}

/** Whether requests to this entry's own path are reads for a GET: else GET counts as a write. */
export function aReadOf(web: WebEntry, project: string): string {
  const request = web.reads?.requests.find(({ query }) => query !== undefined);
  return request === undefined
    ? pathOf(web, project)
    : `${pathOf(web, project)}${request.path.replace(/\$$/, '')}?${request.query}`;
}
