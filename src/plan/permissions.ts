import type { Component } from '../kernel/catalogue/load.ts';

type Web = Component['data']['web'][number];

/** Who may ask, as columns of the tables. */
const visitors = ['anonymous', 'outsider', 'creator', 'reader', 'developer', 'project admin', 'admins', 'builder'] as const;
type Visitor = (typeof visitors)[number];

const states = [
  { title: 'Private', internal: false, archived: false },
  { title: 'Internal', internal: true, archived: false },
  { title: 'Private and archived', internal: false, archived: true },
  { title: 'Internal and archived', internal: true, archived: true },
] as const;

const roleOf: Partial<Record<Visitor, string>> = {
  reader: 'reader',
  developer: 'developer',
  'project admin': 'admin',
  builder: 'builder',
};

/** docs/permissions.md: the access tables of these components, as the front applies them. Pure. */
export function permissionsPage(components: readonly Component[]): string {
  const entries = components.flatMap(({ data }) => data.web.map((web) => ({ name: data.name, web })));
  const perProject = entries.filter(({ web }) => web.at.includes('{project}')).sort((a, b) => a.web.at.localeCompare(b.web.at));
  const general = entries.filter(({ web }) => !web.at.includes('{project}')).sort((a, b) => a.web.at.localeCompare(b.web.at));
  return [
    '# Permissions',
    '',
    'Made from the access tables of the components, the same that the front is configured with; `npm run docs` writes this page anew. Roles inside a tool, such as who may close a ticket, are limited further by the tool.',
    '',
    '*outsider*: has a login and is no member. *creator*: is in the group of that name, makes projects by `/api`, and is an outsider in those of others. *admins*: the group of that name. *builder*: the login of the project’s own builds. *r*: may read, *rw*: may read and write, –: refused (401 to anonymous, 403 to everybody else). Where a path never shows *rw*, *r* lets every request through to the tool, which decides by role.',
    '',
    '## Paths of a project',
    ...states.flatMap((state) => ['', `### ${state.title}`, '', ...table(perProject.map(({ web }) => row(web, state)))]),
    '',
    '## Other paths',
    '',
    ...table(general.map(({ web }) => row(web, states[0]))),
    '',
    'Below each path more may be refused to everybody; the components’ `refuse` says what.',
    '',
  ].join('\n');
}

function table(rows: readonly string[]): string[] {
  return [`| Path | ${visitors.join(' | ')} |`, `| --- |${' --- |'.repeat(visitors.length)}`, ...rows];
}

function row(web: Web, state: (typeof states)[number]): string {
  const cells = visitors.map((visitor) => {
    const reads = may(web, 'read', visitor, state);
    // where nothing tells reads from writes, whoever reads may send everything
    const writes = web.reads === undefined || web.readOnly ? false : may(web, 'write', visitor, state);
    return writes ? 'rw' : reads ? 'r' : '–';
  });
  return `| \`${web.at.replace('{project}', 'NAME')}\` | ${cells.join(' | ')} |`;
}

function may(
  { access }: Web,
  action: 'read' | 'write',
  visitor: Visitor,
  { internal, archived }: (typeof states)[number],
): boolean {
  if (visitor === 'anonymous') return false;
  if (action === 'write' && archived && !access.writeArchived) return false;
  if (visitor === 'admins') return true;
  // a builder is no person: what is open to any user is not open to it
  if (visitor !== 'builder' && access[action].includes('any-user')) return true;
  const role = roleOf[visitor];
  if (role !== undefined && access[action].some((it) => it === role)) return true;
  return action === 'read' && internal && visitor !== 'builder' && access.readInternal.length > 0;
}
