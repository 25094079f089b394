import { expect } from 'vitest';
import { type Clients, verdict } from './clients.ts';
import { devserverIn, findingsAbout, remainsInside, until } from './devserver.ts';
import type { Session } from './session.ts';
import type { Kind } from './working-copies.ts';

/** The changes of a project, in an order in which each begins with what the one before left, and how it is taken back. */
export const changes = {
  create: {
    command: (name: string, vcs: Kind) => ['newproject', name, '--vcs', vcs, '--member', 'dev'],
    back: undefined,
  },
  member: {
    command: (name: string) => ['project', 'member', 'add', name, 'out:reader'],
    back: (name: string) => ['project', 'member', 'remove', name, 'out'],
  },
  delete: {
    command: (name: string) => ['project', 'delete', name, '--yes'],
    back: (name: string) => ['project', 'undelete', name],
  },
  undelete: {
    command: (name: string) => ['project', 'undelete', name],
    back: (name: string) => ['project', 'delete', name, '--yes'],
  },
} as const;
export type ChangeName = keyof typeof changes;
const changeNames = Object.keys(changes) as ChangeName[];

/** An appliance, and real clients of its services. */
export interface Inside {
  readonly session: Session;
  readonly clients: Clients;
}

/** What everybody sees of a project, with its name and the names of jobs taken out. */
export async function seen(inside: Inside, change: ChangeName, name: string, vcs: Kind): Promise<unknown> {
  const { session, clients } = inside;
  const paths = {
    repository: { git: `/git/${name}.git/HEAD`, hg: `/hg/${name}/raw-file/tip/README.md`, svn: `/svn/${name}/trunk/README.md` }[
      vcs
    ],
    tracker: `/trac/${name}/wiki`,
    ci: `/hudson/job/${name}/api/json`,
    maven: `/archiva/repository/${name}/`,
  };
  const ask = (): Promise<(string | number)[][]> =>
    Promise.all(
      Object.entries(paths).flatMap(([what, path]) =>
        (['dev', 'out'] as const).map(async (as) => [`${what} for ${as}`, await clients.status({ path, as })]),
      ),
    );
  // a daemon that has just started opens what it guards within a moment
  const answers = await until('no service is closed', async () => {
    const all = await ask();
    return all.some(([, status]) => status === 503) ? undefined : all;
  });
  const others = (dn: string): boolean => dn.includes('.builder,') && !dn.startsWith(`uid=${name}.builder,`);
  const groups = await Promise.all(
    ['admins', 'developers', 'readers', 'builders', 'active'].map(async (role) => {
      const group = { kind: 'group', name: `${name}.${role}` };
      const entry = (await session.driver('ldap', 'read', group)) as { member?: string[] } | null;
      // a group that follows everybody names the builders of other projects too
      return [role, entry === null ? null : { ...entry, member: entry.member?.filter((it) => !others(it)) }];
    }),
  );
  const state = {
    answers: Object.fromEntries(answers),
    groups: Object.fromEntries(groups),
    // one that is made anew has a first commit of its own
    head: (await headOf(clients, name, vcs)).replace(change === 'create' ? /^[0-9a-f]{12,40}\b/ : /^$/, 'COMMIT'),
    remains: await remainsInside(session, name),
    findings: await findingsAbout(devserverIn(session), name),
  };
  const plain = JSON.stringify(state)
    .replaceAll(/\d{8}t\d{9}-[0-9a-f]{8}/g, 'JOB')
    .replaceAll(name, 'NAME');
  return JSON.parse(plain);
}

/** The newest commit as a client of dev's is told it, or why not. */
async function headOf(clients: Clients, name: string, vcs: Kind): Promise<string> {
  const asked = {
    git: () => clients.git('ls-remote', clients.url(`/git/${name}.git`, 'dev'), 'HEAD'),
    hg: () => clients.hg('identify', '--id', clients.url(`/hg/${name}`, 'dev')),
    svn: () => clients.svn('dev', 'info', '--show-item', 'last-changed-revision', clients.url(`/svn/${name}/trunk`)),
  };
  const answer = await asked[vcs]();
  const said = verdict(answer);
  return said === 'yes' ? answer.stdout.trim() : said;
}

/** What a project looks like before and after a change that nothing happens to. */
export interface Course {
  readonly before: unknown;
  readonly after: unknown;
  /** How long it took. */
  readonly milliseconds: number;
}

/** Makes a change, and tells what it changes. */
async function undisturbed(inside: Inside, change: ChangeName, name: string, vcs: Kind): Promise<Course> {
  const before = await seen(inside, change, name, vcs);
  const begun = performance.now();
  await devserverIn(inside.session).must(...changes[change].command(name, vcs));
  const milliseconds = performance.now() - begun;
  const after = await seen(inside, change, name, vcs);
  expect(after, `${change} changes nothing`).not.toEqual(before);
  return { before, after, milliseconds };
}

/**
 * Makes every change of a project once with nothing happening to it, looking at what else is of interest behind each; then
 * hands each to `disturb` with the project as it was before. The project is gone in the end.
 */
export async function disturbEach<T>(
  inside: Inside,
  { name, vcs }: { readonly name: string; readonly vcs: Kind },
  look: () => Promise<T>,
  disturb: (change: ChangeName, course: Course, looked: T) => Promise<void>,
): Promise<void> {
  const { must } = devserverIn(inside.session);
  const courses = new Map<ChangeName, { readonly course: Course; readonly looked: T }>();
  for (const change of changeNames) {
    courses.set(change, { course: await undisturbed(inside, change, name, vcs), looked: await look() });
    if (change === 'member') await must(...changes.member.back(name));
  }
  for (const [change, { course, looked }] of courses) {
    const { command, back } = changes[change];
    if (change === 'undelete') await must(...(back?.(name) ?? []));
    await disturb(change, course, looked);
    if (change === 'undelete') await must(...command(name, vcs));
  }
  await must(...changes.delete.command(name));
}

/** Takes a disturbed change back, so that it can be made again. A new project was one of its own, and goes. */
export async function takeBack(
  inside: Inside,
  change: ChangeName,
  { name, vcs }: { readonly name: string; readonly vcs: Kind },
  isDone: boolean,
): Promise<void> {
  const { must } = devserverIn(inside.session);
  const { command, back } = changes[change];
  if (change === 'create') {
    // nothing is in the way of the same name
    if (!isDone) await must(...command(name, vcs));
    await must(...changes.delete.command(name));
  } else if (isDone) await must(...(back?.(name) ?? []));
}
