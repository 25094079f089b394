import * as z from 'zod';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { userName } from '../../src/kernel/project.ts';
import type { Ask } from '../projects/backends.ts';
import { makeLanes } from '../projects/locks.ts';

/** Groups of the whole appliance a person can be put into. */
export type SiteGroup = 'admins' | 'creators';

const directorySchema = z.object({
  people: z.array(
    z.object({
      name: z.string(),
      /** What outlives the name, and is given to nobody else; ADR 0014. */
      account: z.string().min(1),
      fullName: z.string(),
      mail: z.string().optional(),
      disabled: z.boolean(),
      hasPassword: z.boolean(),
    }),
  ),
  groups: z.object({ admins: z.array(z.string()), creators: z.array(z.string()) }),
});
export type DirectoryContent = Readonly<z.output<typeof directorySchema>>;

/** What can be set of a person; what is not given stays. */
export interface PersonChange {
  readonly fullName?: string | undefined;
  readonly mail?: string | undefined;
  readonly password?: string | undefined;
  readonly disabled?: boolean | undefined;
}

/** People and the appliance's own groups, in the directory. */
export interface People {
  readonly content: () => Promise<DirectoryContent>;
  /** Whether somebody of that name is there, and is not being removed just now. */
  readonly isPerson: (name: string) => Promise<boolean>;
  /** Names to accounts, of everybody who is there and is not being removed. */
  readonly accounts: () => Promise<ReadonlyMap<string, string>>;
  /** That the directory would take this name and password. @throws UserError in its words. */
  readonly check: (name: string, password: string) => Promise<void>;
  readonly apply: (name: string, change: PersonChange) => Promise<void>;
  /** Removes somebody; who is nobody to become a member of anything from the start on, while `first` takes them out of it all. */
  readonly remove: (name: string, first: () => Promise<void>) => Promise<void>;
  readonly setGroup: (name: string, group: SiteGroup, member: boolean) => Promise<void>;
}

/** Asks the directory's driver. */
export function openPeople(catalogue: ApplianceCatalogue, ask: Ask): People {
  const lanes = makeLanes();
  const leaving = new Set<string>();
  const directory = (): string => {
    const found = catalogue.components.find(({ provides }) => provides.includes('directory'));
    if (found === undefined) throw new UserError('this appliance has no user database');
    return found.name;
  };
  const tell = (verb: string, args: unknown): Promise<unknown> => ask(directory(), verb, args, 30);
  const content = async (): Promise<DirectoryContent> => directorySchema.parse(await tell('people', {}));
  return {
    content,
    // asked behind the look: they may be on their way out since
    isPerson: async (name) =>
      userName.safeParse(name).success && (await tell('read', { kind: 'user', name })) !== null && !leaving.has(name),
    accounts: async () => {
      const { people } = await content();
      return new Map(people.filter(({ name }) => !leaving.has(name)).map(({ name, account }) => [name, account]));
    },
    check: async (name, password) => {
      await tell('check', { kind: 'user', name, password });
    },
    apply: async (name, change) => {
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      await tell('apply', { kind: 'user', name, ...given });
    },
    remove: async (name, first) => {
      leaving.add(name);
      try {
        await first();
        await tell('remove', { kind: 'user', name });
      } finally {
        leaving.delete(name);
      }
    },
    // read, change, write: one after the other, or one change would undo another
    setGroup: (name, group, member) =>
      lanes.run('groups', 1, async () => {
        const present = (await content()).groups[group];
        if (present.includes(name) === member) return;
        const members = member ? [...present, name] : present.filter((it) => it !== name);
        await tell('apply', { kind: 'group', name: group, members });
      }),
  };
}
