import { askDriver, inside } from './inside.ts';

export type Role = 'admin' | 'developer' | 'reader';

/** People of the tests; each one's password is `NAME-Passw0rd`. */
export const people = ['ann', 'dev', 'rob', 'out'] as const;
export type Person = (typeof people)[number] | 'admin';

/** A project laid out by hand: the truth the daemon will keep from the next issue on. */
export interface TestProject {
  readonly name: string;
  readonly internal: boolean;
  readonly archived: boolean;
  readonly members: Readonly<Record<string, Role>>;
}

/** ann administers, dev develops, rob reads, out has no part in them. */
const members = { ann: 'admin', dev: 'developer', rob: 'reader' } as const;
export const projects: readonly TestProject[] = [
  { name: 'shop', internal: false, archived: false, members },
  { name: 'open', internal: true, archived: false, members },
  { name: 'oldshop', internal: false, archived: true, members },
  { name: 'oldopen', internal: true, archived: true, members },
  { name: 'other', internal: false, archived: false, members: { out: 'developer' } },
];

/** Makes people and projects in the appliance of DIR. */
export async function layOut(dir: string): Promise<void> {
  for (const name of people)
    await askDriver(dir, 'ldap', 'apply', { kind: 'user', name, fullName: `${name} Tester`, password: passwordOf(name) });
  for (const project of projects) await layOutProject(dir, project);
}

export function passwordOf(person: string): string {
  return `${person}-Passw0rd`;
}

/** Groups, repositories of three kinds and a Trac environment. */
export async function layOutProject(dir: string, project: TestProject): Promise<void> {
  await applyGroups(dir, project);
  const { name } = project;
  await inside(dir, ['sh', '-eu', '-s', name], makeRepositories);
}

/** What the directory must say about a project. */
export async function applyGroups(dir: string, { name, internal, archived, members: roles }: TestProject): Promise<void> {
  for (const role of ['admin', 'developer', 'reader'] as const) {
    const own = Object.entries(roles)
      .filter(([, it]) => it === role)
      .map(([person]) => person);
    await askDriver(dir, 'ldap', 'apply', { kind: 'group', name: `${name}.${role}s`, members: own });
  }
  await marker(dir, `${name}.internal`, internal);
  await marker(dir, `${name}.active`, !archived);
}

async function marker(dir: string, name: string, present: boolean): Promise<void> {
  if (present) await askDriver(dir, 'ldap', 'apply', { kind: 'group', name, members: 'everyone' });
  else await askDriver(dir, 'ldap', 'remove', { kind: 'group', name });
}

const makeRepositories = `
name=$1
as() { u=$1; shift; setpriv --reuid "$u" --regid "$u" --init-groups --no-new-privs env HOME=/nonexistent "$@"; }
as www-data svnadmin create "/srv/svn/$name"
as www-data svn mkdir -q -m layout "file:///srv/svn/$name/trunk" "file:///srv/svn/$name/branches" "file:///srv/svn/$name/tags"
as git git init -q --bare "/srv/git/$name.git"
as hg hg init "/srv/hg/$name"
# the tests push histories that have nothing to do with each other
as hg touch "/srv/hg/$name/.hg/devserver-unprotected"
as trac trac-admin "/srv/trac/$name" initenv "$name" sqlite:db/trac.db >/dev/null
as trac trac-admin "/srv/trac/$name" permission remove anonymous '*'
as trac trac-admin "/srv/trac/$name" permission remove authenticated '*' || true
as trac trac-admin "/srv/trac/$name" permission add authenticated WIKI_VIEW TICKET_VIEW BROWSER_VIEW TIMELINE_VIEW LOG_VIEW FILE_VIEW CHANGESET_VIEW
`;
