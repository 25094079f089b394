import { readFileSync } from 'node:fs';
import * as z from 'zod';
import type { DirectoryAccount } from '../../../provision/boot/directory-accounts.ts';
import { DriverError, serveDriver } from '../../../src/kernel/driver-kit.ts';
import { readCatalogue } from '../../../src/kernel/read-catalogue.ts';
import { realSystem } from '../../../src/kernel/system.ts';
import { bootstrapDirectory } from './bootstrap.ts';
import {
  applyBuilder,
  builderDn,
  compareBuilder,
  comparedAccountArgs,
  listBuilders,
  removeBuilder,
  serviceAccountArgs,
} from './builders.ts';
import {
  addMember,
  ensureEntry,
  passwordFits,
  readEntry,
  removeAccount,
  removeEntry,
  replaceAttributes,
  search,
  setPassword,
  tree,
} from './directory.ts';
import { dumpDirectory, loadDirectory } from './dump.ts';
import { applyGroup, type Compared, compareGroup, groupArgs, groupDn } from './groups.ts';
import type { Attributes } from './ldif.ts';
import { userName } from './names.ts';
import { activeDn, findPerson, peopleAndGroups, removePerson, setDisabled } from './people.ts';

const system = realSystem();
const accountsFile = '/run/devserver/directory-accounts.json';
/** Shortest password a person may choose, as the stack says. */
const minimum = Number(readCatalogue().components.find(({ name }) => name === 'ldap')?.options.passwordMinLength ?? 10);

const passwordArgs = z.strictObject({ user: z.string(), old: z.string(), new: z.string() });

/** A person changes the own password, knowing the present one. */
async function password(args: unknown): Promise<void> {
  const { user, old, new: fresh } = passwordArgs.parse(args);
  const dn = `uid=${userName(user)},${tree.people}`;
  requireLength(fresh);
  if (!(await passwordFits(system, dn, old))) throw new DriverError('The present password is not right.');
  await setPassword(system, dn, fresh);
}

function requireLength(password: string): void {
  if ([...password].length < minimum) throw new DriverError(`The new password needs at least ${minimum} characters.`);
  if (password.length > 200) throw new DriverError('The new password is too long.');
}

const userArgs = z.strictObject({
  kind: z.literal('user'),
  name: z.string(),
  fullName: z.string().min(1).max(200).optional(),
  /** Empty: none any more. */
  mail: z.union([z.literal(''), z.email()]).optional(),
  password: z.string().min(1).max(200).optional(),
  disabled: z.boolean().optional(),
});
const resourceArgs = z.discriminatedUnion('kind', [userArgs, groupArgs, serviceAccountArgs]);
const comparedArgs = z.discriminatedUnion('kind', [groupArgs, comparedAccountArgs]);
const nameArgs = z.strictObject({ kind: z.enum(['user', 'group', 'service-account']), name: z.string() });

/** check: whether `apply` would take this name and password; changes nothing. */
async function check(args: unknown): Promise<void> {
  const { name, password: fresh } = userArgs.pick({ kind: true, name: true, password: true }).parse(args);
  userName(name);
  if (fresh !== undefined) requireLength(fresh);
}

/** apply: the whole desired state of a user, a group or a builder. */
async function apply(args: unknown): Promise<void> {
  const wanted = resourceArgs.parse(args);
  if (wanted.kind === 'service-account') return applyBuilder(system, wanted);
  if (wanted.kind === 'group') return applyGroup(system, wanted);
  return applyUser(wanted);
}

/** A person who was not there before is there as a whole afterwards, or not at all. */
async function applyUser(wanted: z.output<typeof userArgs>): Promise<void> {
  const name = userName(wanted.name);
  if (wanted.password !== undefined) requireLength(wanted.password);
  const dn = (await findPerson(system, name)) ?? activeDn(name);
  const fullName = wanted.fullName === undefined ? {} : { cn: [wanted.fullName], sn: [wanted.fullName] };
  const mail = wanted.mail === undefined ? {} : { mail: [wanted.mail].filter((it) => it !== '') };
  const isNew = await ensureEntry(system, dn, {
    ...{ objectClass: ['inetOrgPerson'], uid: [name], cn: [name], sn: [name] },
    ...{ ...fullName, ...mail },
  });
  try {
    await complete(dn, wanted, { ...fullName, ...mail });
  } catch (error) {
    // the first error is the one to tell
    if (isNew) await removeAccount(system, dn).catch(() => {});
    throw error;
  }
}

async function complete(
  dn: string,
  { name, password: fresh, disabled }: z.output<typeof userArgs>,
  attributes: Attributes,
): Promise<void> {
  if (Object.keys(attributes).length > 0) await replaceAttributes(system, dn, attributes);
  if (fresh !== undefined) await setPassword(system, dn, fresh);
  // last: who is in `users` can log in, and must be complete by then
  await addMember(system, 'users', dn);
  if (disabled !== undefined) await setDisabled(system, name, disabled);
}

/** compare: a group or a builder with what `apply` would make of the same arguments. */
async function compare(args: unknown): Promise<Compared> {
  const wanted = comparedArgs.parse(args);
  return wanted.kind === 'group' ? compareGroup(system, wanted) : compareBuilder(system, wanted);
}

async function dnOf(args: unknown): Promise<string> {
  const { kind, name } = nameArgs.parse(args);
  if (kind === 'service-account') return builderDn(name);
  if (kind === 'group') return groupDn(name);
  return (await findPerson(system, name)) ?? activeDn(name);
}

/** read: the state without the password, or null. */
async function read(args: unknown): Promise<unknown> {
  const entry = await readEntry(system, await dnOf(args));
  if (entry === undefined) return null;
  const { userPassword: _hidden, ...shown } = entry;
  return shown;
}

async function remove(args: unknown): Promise<void> {
  const { kind, name } = nameArgs.parse(args);
  if (kind === 'service-account') return removeBuilder(system, name);
  if (kind === 'user') return removePerson(system, name);
  await removeEntry(system, groupDn(name));
}

/** list: the names of all there are of a kind; one search. */
async function list(args: unknown): Promise<string[]> {
  const { kind } = z.strictObject({ kind: z.enum(['user', 'group', 'service-account']) }).parse(args);
  if (kind === 'service-account') return listBuilders(system);
  const [below, filter, attribute] =
    kind === 'user' ? [tree.people, '(objectClass=inetOrgPerson)', 'uid'] : [tree.groups, '(cn=*)', 'cn'];
  const found = await search(system, below, filter, { attributes: [attribute] });
  return found.flatMap((entry) => entry[attribute]?.[0] ?? []).sort();
}

serveDriver({
  bootstrap: async () => bootstrapDirectory(system, JSON.parse(readFileSync(accountsFile, 'utf8')) as DirectoryAccount[]),
  password,
  check,
  apply,
  compare,
  read,
  list,
  people: () => peopleAndGroups(system),
  remove,
  dump: (args) => dumpDirectory(system, args),
  load: (args) => loadDirectory(system, args),
  ping: async () => {
    if ((await readEntry(system, tree.people)) === undefined) throw new DriverError('the tree is not there yet');
  },
});
