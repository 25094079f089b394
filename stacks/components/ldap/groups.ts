import * as z from 'zod';
import type { System } from '../../../src/kernel/system.ts';
import { applyEntry, readEntry, sameValues, tree } from './directory.ts';
import type { Attributes } from './ldif.ts';
import { groupName, userName } from './names.ts';

/** Arguments of `apply` and `compare` for a group. */
export const groupArgs = z.strictObject({
  kind: z.literal('group'),
  name: z.string(),
  members: z.union([z.array(z.string()), z.literal('everyone')]),
});
type GroupArgs = Readonly<z.output<typeof groupArgs>>;

/** What `compare` says: whether it is there, and in which way it is not what `apply` would make of the same arguments. */
export interface Compared {
  readonly present: boolean;
  readonly differs?: string;
}

/** Where a group's entry is. */
export function groupDn(name: unknown): string {
  return `cn=${groupName(name)},${tree.groups}`;
}

/** Makes a group so. */
export async function applyGroup(system: System, args: GroupArgs): Promise<void> {
  await applyEntry(system, groupDn(args.name), entryOf(args));
}

/** In which way a group is not so. */
export async function compareGroup(system: System, args: GroupArgs): Promise<Compared> {
  const wanted = entryOf(args);
  const present = await readEntry(system, groupDn(args.name), Object.keys(wanted));
  if (present === undefined) return { present: false };
  if (!sameValues(present, wanted, 'objectClass'))
    return { present: true, differs: args.members === 'everyone' ? 'it does not follow the people' : 'it is no list of people' };
  if (args.members === 'everyone')
    return sameValues(present, wanted, 'memberURL') ? { present: true } : { present: true, differs: 'it is open to others' };
  const [is, shall] = [shownMembers(present.member ?? []), shownMembers(wanted.member ?? [])];
  if (is === shall) return { present: true };
  return { present: true, differs: `its members are ${is || 'nobody'} instead of ${shall || 'nobody'}` };
}

function entryOf({ name, members }: GroupArgs): Attributes {
  if (members !== 'everyone')
    return {
      objectClass: ['groupOfNames'],
      cn: [groupName(name)],
      member: [tree.nobody, ...members.map((it) => `uid=${userName(it)},${tree.people}`)],
    };
  // a dynamic group: the server itself answers for every person there is at that moment. That a project is active
  // is so for its builders too, which deploy; what is open to every person is still not open to them
  const places = name.endsWith('.active') ? [tree.people, tree.builders] : [tree.people];
  return {
    objectClass: ['groupOfURLs'],
    cn: [groupName(name)],
    memberURL: places.map((place) => `ldap:///${place}??one?(objectClass=inetOrgPerson)`),
  };
}

/** People by their names, whether they may log in or not; what is no person by its whole name. */
export function shownMembers(members: readonly string[]): string {
  return members
    .filter((dn) => dn !== tree.nobody)
    .map((dn) => /^uid=([^,]+),ou=(?:people|disabled),dc=devserver$/.exec(dn)?.[1] ?? dn)
    .sort()
    .join(', ');
}
