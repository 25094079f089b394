import type { DirectoryAccount } from '../../../provision/boot/directory-accounts.ts';
import type { System } from '../../../src/kernel/system.ts';
import { addMember, alreadyExists, modify, passwordFits, setPassword, tree, wholeTree } from './directory.ts';
import { type Attributes, addRecord } from './ldif.ts';
import { groupName, userName } from './names.ts';

type Entries = ReadonlyMap<string, Record<string, string[]>>;

interface Wanted {
  readonly dn: string;
  readonly attributes: Attributes;
}

/**
 * Brings the tree, the services' accounts and the first administrator about. Idempotent and may die
 * anywhere: it looks at what is there, adds what is missing in one go, and then sees to the passwords.
 */
export async function bootstrapDirectory(system: System, accounts: readonly DirectoryAccount[]): Promise<void> {
  const before = await wholeTree(system);
  const wanted = [...skeleton(), ...accounts.map((account) => ({ dn: dnOf(account), attributes: entryOf(account) }))];
  const missing = wanted.filter(({ dn }) => !before.has(dn));
  if (missing.length > 0)
    await modify(system, missing.map(({ dn, attributes }) => addRecord(dn, attributes)).join('\n'), [alreadyExists]);
  const open = accounts.filter((account) => !isSettled(account, before));
  for (const account of open) await settleGroups(system, account, before);
  // the password comes last: it is the mark by which a later boot knows that a person is complete
  await Promise.all(open.map((account) => settlePassword(system, account, before)));
}

function skeleton(): Wanted[] {
  return [
    { dn: tree.root, attributes: { objectClass: ['dcObject', 'organization'], o: ['devserver'], dc: ['devserver'] } },
    ...['people', 'disabled', 'groups', 'services', 'builders'].map((ou) => ({
      dn: `ou=${ou},${tree.root}`,
      attributes: { objectClass: ['organizationalUnit'], ou: [ou] },
    })),
    { dn: tree.nobody, attributes: { objectClass: ['organizationalRole'], cn: ['nobody'] } },
    ...['admins', 'creators', 'services', 'users'].map((cn) => ({
      dn: `cn=${cn},${tree.groups}`,
      attributes: { objectClass: ['groupOfNames'], cn: [cn], member: [tree.nobody] },
    })),
  ];
}

function dnOf({ kind, name }: DirectoryAccount): string {
  return kind === 'service' ? `cn=${userName(name)},${tree.services}` : `uid=${userName(name)},${tree.people}`;
}

/** A service has a uid too, since some backends know people only; it is no person, for it is not below ou=people. */
function entryOf({ name }: DirectoryAccount): Attributes {
  return { objectClass: ['inetOrgPerson'], uid: [name], cn: [name], sn: [name] };
}

/** The first administrator, once complete, is nobody's business but the administrator's. */
function isSettled(account: DirectoryAccount, before: Entries): boolean {
  return account.once && before.get(dnOf(account))?.userPassword !== undefined;
}

async function settlePassword(system: System, account: DirectoryAccount, before: Entries): Promise<void> {
  const dn = dnOf(account);
  const hasPassword = before.get(dn)?.userPassword !== undefined;
  if (hasPassword && (await passwordFits(system, dn, account.password))) return;
  await setPassword(system, dn, account.password);
}

async function settleGroups(system: System, account: DirectoryAccount, before: Entries): Promise<void> {
  const dn = dnOf(account);
  const groups = account.kind === 'person' ? ['users', ...account.memberOf] : account.memberOf;
  for (const group of groups.map(groupName)) {
    if (before.get(`cn=${group},${tree.groups}`)?.member?.includes(dn) === true) continue;
    await addMember(system, group, dn);
  }
}
