import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../../../src/kernel/atomic-file.ts';
import type { ProjectFacts } from '../../../src/kernel/project.ts';
import { changeHolders, type Held, hasBrowseRole, holdersOf, rolesOfRepository, survey } from './roles.ts';

/**
 * Who sees a project in Archiva's pages: its members, who all may look and nothing else. What they deploy goes through the
 * front, which knows their roles; a manager could delete a release here and deploy it anew.
 *
 * Asking Archiva who holds a role takes longer with every project, so the driver writes down to whom it gave one: a list per
 * project that names at least all who hold it. It lies beside Archiva's database and is lost with it, never without.
 * Where there is no list, Archiva is asked.
 */
const folder = '/srv/maven/archiva/holders';
/** Projects whose holders were seen to be others than the driver made them: their lists are worth nothing. */
const changedByOthers = new Set<string>();

/** To be called before Archiva serves a repository it doesn't serve yet: whoever holds a role it has kept is asked for later. */
export async function prepareHolders(name: string): Promise<void> {
  if (await hasBrowseRole(name)) forget(name);
  else write(name, []);
}

/** Exactly the members see it; counts at once. Names the directory doesn't know are left out. */
export async function setBrowsers({ name, members }: ProjectFacts): Promise<void> {
  const { browse } = rolesOfRepository(name);
  const wanted = Object.keys(members).sort();
  const present = (changedByOthers.has(name) ? undefined : written(name)) ?? (await holdersOf(browse));
  write(name, union(present, wanted));
  surveyed = undefined;
  const gone = present.filter((it) => !wanted.includes(it));
  // all who are wanted: somebody may have taken it from them in Archiva's own pages
  const unknown = await changeHolders(browse, wanted, gone);
  surveyed = undefined;
  // who is unknown keeps what they have
  write(
    name,
    union(
      wanted,
      gone.filter((it) => unknown.includes(it)),
    ),
  );
}

/** Nobody has a role of it any longer: Archiva keeps them for the next repository of this name. */
export async function dropHolders(name: string): Promise<void> {
  surveyed = undefined;
  for (const role of Object.values(rolesOfRepository(name))) await changeHolders(role, [], await holdersOf(role));
  surveyed = undefined;
  forget(name);
}

/** In which way others than the members see it. Who is unknown can't, such as somebody who may not log in. */
export async function browsersDifference({ name, members }: ProjectFacts): Promise<string | undefined> {
  const { browse } = rolesOfRepository(name);
  const people = [...(await recentSurvey())];
  const tooMany = people.filter(([it, { roles, wide }]) => !wide && roles.has(browse) && !Object.hasOwn(members, it));
  const tooFew = people.filter(([it, { roles }]) => Object.hasOwn(members, it) && !roles.has(browse));
  if (tooMany.length + tooFew.length === 0) return undefined;
  changedByOthers.add(name);
  const [which, can] = tooMany.length > 0 ? [tooMany, 'can'] : [tooFew, 'can not'];
  return `${which.map(([it]) => it).join(', ')} ${can} see it in Archiva`;
}

/** Milliseconds a survey is good for: the doctor asks about project after project. */
const freshMs = 5000;
interface Survey {
  readonly people: Promise<ReadonlyMap<string, Held>>;
  until: number;
}
/** None after a change of the driver's own, and when a doctor begins. */
let surveyed: Survey | undefined;

/** What comes is about what is so from now on. */
export function forgetSurvey(): void {
  surveyed = undefined;
}

/** What everybody holds, no older than `freshMs` and than the last change. */
async function recentSurvey(): Promise<ReadonlyMap<string, Held>> {
  for (;;) {
    if (surveyed === undefined || performance.now() > surveyed.until)
      surveyed = { people: survey(), until: Number.POSITIVE_INFINITY };
    const mine = surveyed;
    try {
      const people = await mine.people;
      if (mine.until === Number.POSITIVE_INFINITY) mine.until = performance.now() + freshMs;
      if (mine === surveyed) return people;
    } catch (error) {
      if (mine === surveyed) surveyed = undefined;
      throw error;
    }
  }
}

const union = (some: readonly string[], others: readonly string[]): string[] => [...new Set([...some, ...others])].sort();
const listOf = (name: string): string => path.join(folder, `${name}.json`);

function written(name: string): string[] | undefined {
  try {
    const names: unknown = JSON.parse(readFileSync(listOf(name), 'utf8'));
    return Array.isArray(names) && names.every((it) => typeof it === 'string') ? names : undefined;
  } catch {
    return undefined;
  }
}

function write(name: string, names: readonly string[]): void {
  if (JSON.stringify(written(name)) !== JSON.stringify(names)) writeFileAtomically(listOf(name), JSON.stringify(names), 0o600);
}

function forget(name: string): void {
  rmSync(listOf(name), { force: true });
}
