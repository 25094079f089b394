import type { System } from '../../../src/kernel/system.ts';
import { modify, readEntry, removeAccount, replaceMember, search, tree } from './directory.ts';
import { moveRecord } from './ldif.ts';
import { userName } from './names.ts';

/** A person as the daemon shows one. */
interface Person {
  readonly name: string;
  /** The entry's own mark: the server makes it, a move keeps it, and a new entry of the same name has another. */
  readonly account: string;
  readonly fullName: string;
  readonly mail?: string;
  readonly disabled: boolean;
  readonly hasPassword: boolean;
}

/** The entry's name of a person who can log in. */
export function activeDn(name: string): string {
  return `uid=${userName(name)},${tree.people}`;
}

/** And of one who was locked out: nothing looks for logins there. */
function disabledDn(name: string): string {
  return `uid=${userName(name)},${tree.disabled}`;
}

/** Where a person's entry is now, or undefined. */
export async function findPerson(system: System, name: string): Promise<string | undefined> {
  for (const dn of [activeDn(name), disabledDn(name)]) if ((await readEntry(system, dn)) !== undefined) return dn;
  return undefined;
}

/** Locks a person out, or lets them in again. A front that remembers a login for some seconds notices it then. */
export async function setDisabled(system: System, name: string, disabled: boolean): Promise<void> {
  const [from, to] = disabled ? [activeDn(name), disabledDn(name)] : [disabledDn(name), activeDn(name)];
  if ((await readEntry(system, from)) !== undefined)
    await modify(system, moveRecord(from, `uid=${userName(name)}`, disabled ? tree.disabled : tree.people));
  await replaceMember(system, from, to);
}

/** Removes a person, locked out or not. */
export async function removePerson(system: System, name: string): Promise<void> {
  for (const dn of [activeDn(name), disabledDn(name)]) await removeAccount(system, dn);
}

/** All people with their state, and who is in the appliance's own groups: one search. */
export async function peopleAndGroups(system: System): Promise<{ people: Person[]; groups: Record<string, string[]> }> {
  const person = '(&(objectClass=inetOrgPerson)(|(ou:dn:=people)(ou:dn:=disabled)))';
  const filter = `(|${person}(&(objectClass=groupOfNames)(|(cn=admins)(cn=creators))))`;
  const attributes = ['uid', 'cn', 'mail', 'member', 'userPassword', 'entryUUID'];
  const entries = await search(system, tree.root, filter, { scope: 'sub', attributes });
  const groupMembers = (cn: string): string[] => {
    const group = entries.find(({ dn }) => dn?.[0] === `cn=${cn},${tree.groups}`);
    return (group?.member ?? []).flatMap((dn) => /^uid=([^,]+),ou=(?:people|disabled),/.exec(dn)?.[1] ?? []).sort();
  };
  const people = entries
    .filter(({ uid }) => uid !== undefined)
    .map(({ dn, uid, cn, mail, userPassword, entryUUID }) => ({
      name: uid?.[0] ?? '',
      account: entryUUID?.[0] ?? '',
      fullName: cn?.[0] ?? '',
      ...(mail?.[0] === undefined ? {} : { mail: mail[0] }),
      disabled: dn?.[0]?.endsWith(`,${tree.disabled}`) === true,
      hasPassword: userPassword !== undefined,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { people, groups: { admins: groupMembers('admins'), creators: groupMembers('creators') } };
}
