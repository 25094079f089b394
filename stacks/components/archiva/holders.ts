import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../../../src/kernel/atomic-file.ts';
import type { ProjectFacts } from '../../../src/kernel/project.ts';
import { giveRole, type Held, hasBrowseRole, heldBy, holdersOf, rolesOfRepository, survey, takeRole } from './roles.ts';

/**
 * Who sees a project in Archiva's pages: its members, who all may look and nothing else. What they deploy goes through the
 * front, which knows their roles; a manager could delete a release here and deploy it anew.
 *
 * Asking Archiva who holds a role takes longer with every project, so the driver writes down to whom it gave one: a list per
 * project that names at least all to whom it did. It lies beside Archiva's database and is lost with it, never without.
 * Where there is no list, Archiva is asked.
 */
const folder = '/srv/maven/archiva/holders';
/** Projects whose holders were seen to be others than the driver made them: their lists do not name them all. */
const changedByOthers = new Set<string>();

/** To be called before Archiva serves a repository it doesn't serve yet: whoever holds a role it has kept is asked for later. */
export async function prepareHolders(name: string): Promise<void> {
  if (await hasBrowseRole(name)) forget(name);
  else write(name, []);
}

/** Exactly the members see it; counts at once. Names the directory doesn't know are left out. */
export async function setBrowsers({ name, members }: ProjectFacts): Promise<void> {
  const { browse, manage } = rolesOfRepository(name);
  const wanted = Object.keys(members).sort();
  const listed = written(name);
  const isCertain = listed !== undefined && !changedByOthers.has(name);
  const present = union(listed ?? [], isCertain ? [] : await holdersOf(browse));
  const gone = present.filter((it) => !wanted.includes(it));
  write(name, union(present, wanted));
  // all who are wanted: somebody may have taken it from them in Archiva's own pages
  await giveRole(browse, wanted);
  await takeRole(browse, gone);
  // the driver gives nobody this one
  const managers = isCertain ? [] : await holdersOf(manage);
  await takeRole(manage, managers);
  write(name, wanted);
  changedByOthers.delete(name);
  await seeAgain([...wanted, ...gone, ...managers]);
}

/** Nobody has a role of it any longer: Archiva keeps them for the next repository of this name. */
export async function dropHolders(name: string): Promise<void> {
  const { browse, manage } = rolesOfRepository(name);
  // the list names those too whom Archiva doesn't know for now
  const people = union(written(name) ?? [], [...(await holdersOf(browse)), ...(await holdersOf(manage))]);
  if (await hasBrowseRole(name)) for (const role of [browse, manage]) await takeRole(role, people);
  forget(name);
  changedByOthers.delete(name);
  await seeAgain(people);
}

/** In which way others than the members see it, or change it. Who is unknown can't, such as somebody who may not log in. */
export async function browsersDifference({ name, members }: ProjectFacts): Promise<string | undefined> {
  const { browse, manage } = rolesOfRepository(name);
  const people = [...(await recentSurvey())];
  const isMember = (it: string): boolean => Object.hasOwn(members, it);
  const of = (which: (held: Held, person: string) => boolean): string =>
    people
      .flatMap(([person, held]) => (which(held, person) ? [person] : []))
      .sort()
      .join(', ');
  const managers = of(({ roles, wide }) => !wide && roles.has(manage));
  const strangers = of(({ roles, wide }, it) => !wide && roles.has(browse) && !isMember(it));
  const missing = of(({ roles }, it) => !roles.has(browse) && isMember(it));
  const found = [
    [managers, 'can change it in Archiva past the front'],
    [strangers, 'can see it in Archiva'],
    [missing, 'can not see it in Archiva'],
  ].find(([who]) => who !== '');
  if (found === undefined) return undefined;
  changedByOthers.add(name);
  return found.join(' ');
}

/** Milliseconds a survey is good for: the doctor asks about project after project. */
const freshMs = 5000;
interface Survey {
  readonly people: Promise<Map<string, Held>>;
  /** From when on it is too old. */
  until: number;
}
/** None when a doctor begins. */
let surveyed: Survey | undefined;

/** What comes is about what is so from now on. */
export function forgetSurvey(): void {
  surveyed = undefined;
}

/** What everybody holds, as it was at most `freshMs` ago. */
function recentSurvey(): Promise<ReadonlyMap<string, Held>> {
  if (surveyed === undefined || performance.now() > surveyed.until) {
    const mine: Survey = { people: survey(), until: Number.POSITIVE_INFINITY };
    surveyed = mine;
    mine.people.then(
      () => {
        mine.until = performance.now() + freshMs;
      },
      () => {
        if (surveyed === mine) surveyed = undefined;
      },
    );
  }
  return surveyed.people;
}

/** After a change of the driver's own: what these hold is looked at again, also where somebody looks just now. */
async function seeAgain(names: readonly string[]): Promise<void> {
  const people = await surveyed?.people.catch(() => undefined);
  for (const name of names) if (people?.has(name) === true) people.set(name, await heldBy(name));
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
