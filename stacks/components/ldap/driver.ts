import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { DirectoryAccount } from '../../../provision/boot/directory-accounts.ts';
import { DriverError, serveDriver } from '../../../src/kernel/driver-kit.ts';
import { readCatalogue } from '../../../src/kernel/read-catalogue.ts';
import { realSystem } from '../../../src/kernel/system.ts';
import { bootstrapDirectory } from './bootstrap.ts';
import { applyBuilder, builderDn, removeBuilder, serviceAccountArgs } from './builders.ts';
import {
  addMember,
  applyEntry,
  ensureEntry,
  passwordFits,
  readEntry,
  removeEntry,
  replaceAttributes,
  search,
  setPassword,
  tree,
} from './directory.ts';
import { groupName, userName } from './names.ts';
import { activeDn, findPerson, peopleAndGroups, setDisabled } from './people.ts';

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
const groupArgs = z.strictObject({
  kind: z.literal('group'),
  name: z.string(),
  members: z.union([z.array(z.string()), z.literal('everyone')]),
});
const resourceArgs = z.discriminatedUnion('kind', [userArgs, groupArgs, serviceAccountArgs]);
const nameArgs = z.strictObject({ kind: z.enum(['user', 'group', 'service-account']), name: z.string() });

/** apply: the whole desired state of a user, a group or a builder. */
async function apply(args: unknown): Promise<void> {
  const wanted = resourceArgs.parse(args);
  if (wanted.kind === 'service-account') return applyBuilder(system, wanted);
  if (wanted.kind === 'group') return applyGroup(wanted.name, wanted.members);
  const name = userName(wanted.name);
  const dn = (await findPerson(system, name)) ?? activeDn(name);
  const fullName = wanted.fullName === undefined ? {} : { cn: [wanted.fullName], sn: [wanted.fullName] };
  const mail = wanted.mail === undefined ? {} : { mail: [wanted.mail].filter((it) => it !== '') };
  await ensureEntry(system, dn, { objectClass: ['inetOrgPerson'], uid: [name], cn: [name], sn: [name], ...fullName, ...mail });
  if (Object.keys({ ...fullName, ...mail }).length > 0) await replaceAttributes(system, dn, { ...fullName, ...mail });
  if (wanted.password !== undefined) {
    requireLength(wanted.password);
    await setPassword(system, dn, wanted.password);
  }
  // last: who is in `users` can log in, and must be complete by then
  await addMember(system, 'users', dn);
  if (wanted.disabled !== undefined) await setDisabled(system, name, wanted.disabled);
}

async function applyGroup(name: string, members: readonly string[] | 'everyone'): Promise<void> {
  const dn = `cn=${groupName(name)},${tree.groups}`;
  if (members === 'everyone') {
    // a dynamic group: the server itself answers for every person there is at that moment. That a project is active
    // is so for its builders too, which deploy; what is open to every person is still not open to them
    const places = name.endsWith('.active') ? [tree.people, tree.builders] : [tree.people];
    await applyEntry(system, dn, {
      objectClass: ['groupOfURLs'],
      cn: [name],
      memberURL: places.map((place) => `ldap:///${place}??one?(objectClass=inetOrgPerson)`),
    });
    return;
  }
  await applyEntry(system, dn, {
    objectClass: ['groupOfNames'],
    cn: [name],
    member: [tree.nobody, ...members.map((it) => `uid=${userName(it)},${tree.people}`)],
  });
}

async function dnOf(args: unknown): Promise<string> {
  const { kind, name } = nameArgs.parse(args);
  if (kind === 'service-account') return builderDn(name);
  if (kind === 'group') return `cn=${groupName(name)},${tree.groups}`;
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
  return kind === 'service-account' ? removeBuilder(system, name) : removeEntry(system, await dnOf(args));
}

async function list(args: unknown): Promise<string[]> {
  const { kind } = z.strictObject({ kind: z.enum(['user', 'group']) }).parse(args);
  const found =
    kind === 'user'
      ? await search(system, tree.people, '(objectClass=inetOrgPerson)')
      : await search(system, tree.groups, '(cn=*)');
  return found.flatMap((entry) => entry[kind === 'user' ? 'uid' : 'cn']?.[0] ?? []).sort();
}

serveDriver({
  bootstrap: async () => bootstrapDirectory(system, JSON.parse(readFileSync(accountsFile, 'utf8')) as DirectoryAccount[]),
  password,
  apply,
  read,
  list,
  people: () => peopleAndGroups(system),
  remove,
  ping: async () => {
    if ((await readEntry(system, tree.people)) === undefined) throw new DriverError('the tree is not there yet');
  },
});
