import type { Office } from '../api/office.ts';
import { Refusal } from '../api/refusal.ts';
import type { ChangeUser, User } from '../api/schemas.ts';
import { makeLanes } from '../projects/locks.ts';
import { openListing } from './listing.ts';
import { addNewcomer, examineNewcomer, type Newcomer } from './newcomer.ts';
import { takeOut } from './take-out.ts';

/** The people as administrators know and change them: of one name one thing at a time. */
export interface Roster {
  readonly all: () => Promise<User[]>;
  /** @throws Refusal when there is none. */
  readonly find: (name: string) => Promise<User>;
  /** That this person could be added. @throws UserError with every fault. */
  readonly check: (person: Newcomer) => Promise<void>;
  readonly add: (person: Newcomer) => Promise<User>;
  readonly change: (name: string, change: ChangeUser) => Promise<User>;
  /** Out of every project and then out of the directory, in the name of `by`. Returns the projects. */
  readonly remove: (name: string, by: string) => Promise<string[]>;
}

/** Opens the roster; there is one, since its turns are its own. */
export function openRoster(office: Office): Roster {
  const { people, workshop, publishSite } = office;
  const lanes = makeLanes();
  const listing = openListing(office);
  const { all, find, rolesOf } = listing;
  const turn = <T>(name: string, work: () => Promise<T>): Promise<T> => lanes.run(`person:${name}`, 1, work);
  const setGroups = async (name: string, { admin, creator }: Pick<ChangeUser, 'admin' | 'creator'>): Promise<void> => {
    if (admin !== undefined) await people.setGroup(name, 'admins', admin);
    if (creator !== undefined) await people.setGroup(name, 'creators', creator);
    await publishSite();
  };
  /** Somebody has to be left who can let others in, also when two are on their way out at once. */
  const withoutAdmin = <T>({ name, admin }: User, work: () => Promise<T>): Promise<T> => {
    if (!admin) return work();
    return lanes.run('admins', 1, async () => {
      if ((await all()).some((it) => it.admin && !it.disabled && it.name !== name)) return work();
      throw new Refusal(409, `${name} is the last administrator`, { hint: 'make somebody else one first' });
    });
  };
  return {
    all,
    find,
    check: async (person) => {
      await examineNewcomer(office, listing, person);
    },
    add: (person) =>
      turn(person.name, async () => {
        const { name, admin, creator } = person;
        const { remains } = await examineNewcomer(office, listing, person);
        if (remains) await people.remove(name, async () => {});
        const groups = { ...(admin === true ? { admin } : {}), ...(creator === true ? { creator } : {}) };
        await addNewcomer(office, person, () => setGroups(name, groups));
        return find(name);
      }),
    change: (name, change) =>
      turn(name, async () => {
        const present = await find(name);
        const { fullName, mail, disabled, password, admin } = change;
        const act = async (): Promise<User> => {
          await people.apply(name, { fullName, mail, disabled, password });
          await setGroups(name, change);
          return find(name);
        };
        return disabled === true || admin === false ? withoutAdmin(present, act) : act();
      }),
    remove: (name, by) =>
      turn(name, async () =>
        withoutAdmin(await find(name), async () => {
          const projects: string[] = [];
          // first out of every project, so that nobody of that name who comes later inherits anything
          await people.remove(name, async () => {
            await workshop.without(name);
            projects.push(...Object.keys(rolesOf(name)));
            for (const project of projects) await takeOut(office, name, project, by);
          });
          await publishSite();
          return projects;
        }),
      ),
  };
}
