import { exitCodes } from '../../src/kernel/errors.ts';
import type { MemberRole } from '../../src/kernel/project.ts';
import type { Office } from '../api/office.ts';
import { Refusal } from '../api/refusal.ts';
import type { User } from '../api/schemas.ts';

/** The people with what they may: as the directory and the projects have it at this moment. */
export interface Listing {
  readonly all: () => Promise<User[]>;
  /** @throws Refusal when there is none. */
  readonly find: (name: string) => Promise<User>;
  /** Projects somebody is a member of, with the role. */
  readonly rolesOf: (name: string) => Record<string, MemberRole>;
}

/** Opens the list. */
export function openListing({ people, bench }: Pick<Office, 'people' | 'bench'>): Listing {
  const rolesOf = (name: string): Record<string, MemberRole> =>
    Object.fromEntries(
      bench.specifications
        .all()
        .flatMap(({ name: project, members }) => (Object.hasOwn(members, name) ? [[project, members[name] as MemberRole]] : [])),
    );
  const all = async (): Promise<User[]> => {
    const { people: list, groups } = await people.content();
    return list.map(({ name, fullName, mail, disabled }) => ({
      ...{ name, fullName, disabled, admin: groups.admins.includes(name), creator: groups.creators.includes(name) },
      ...(mail === undefined ? {} : { mail }),
      projects: rolesOf(name),
    }));
  };
  const find = async (name: string): Promise<User> => {
    const found = (await all()).find((it) => it.name === name);
    if (found !== undefined) return found;
    throw new Refusal(404, `there is no user ${name}`, { hint: 'devserver user list', exitCode: exitCodes.usage });
  };
  return { all, find, rolesOf };
}
