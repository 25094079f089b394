import * as z from 'zod';
import { DriverError } from '../../../src/kernel/driver-kit.ts';
import type { System } from '../../../src/kernel/system.ts';
import {
  addMember,
  applyEntry,
  ensureEntry,
  passwordFits,
  readEntry,
  removeAccount,
  removeEntry,
  search,
  setPassword,
  tree,
} from './directory.ts';
import { type Compared, groupDn, shownMembers } from './groups.ts';
import { builderName, groupName } from './names.ts';

/** Arguments of `apply` for the login a project's builds have. */
export const serviceAccountArgs = z.strictObject({
  kind: z.literal('service-account'),
  name: z.string(),
  password: z.string().min(16).max(200),
  memberOf: z.array(z.string()).max(4),
});
/** And of `compare`: without a password it is not compared. */
export const comparedAccountArgs = serviceAccountArgs.extend({ password: z.string().optional() });

/** Where a builder's entry is; below ou=builders, so that nothing meant for people or services takes it in. */
export function builderDn(name: unknown): string {
  return `uid=${builderName(name)},${tree.builders}`;
}

/** Makes the entry, its groups and its password so; its own group, of builders, is for nobody else. */
export async function applyBuilder(system: System, args: z.output<typeof serviceAccountArgs>): Promise<void> {
  const name = builderName(args.name);
  const dn = builderDn(name);
  await applyEntry(system, dn, { objectClass: ['inetOrgPerson'], uid: [name], cn: [name], sn: [name] });
  for (const group of args.memberOf.map((it) => groupOfProject(name, it))) {
    const entry = { objectClass: ['groupOfNames'], cn: [group], member: [tree.nobody] };
    if (group === ownGroup(name)) await applyEntry(system, groupDn(group), { ...entry, member: [tree.nobody, dn] });
    else {
      await ensureEntry(system, groupDn(group), entry);
      await addMember(system, group, dn);
    }
  }
  const hasPassword = (await readEntry(system, dn))?.userPassword !== undefined;
  if (!hasPassword || !(await passwordFits(system, dn, args.password))) await setPassword(system, dn, args.password);
}

/** In which way the account, its groups and its password are not so. One search, and one login. */
export async function compareBuilder(system: System, args: z.output<typeof comparedAccountArgs>): Promise<Compared> {
  const name = builderName(args.name);
  const dn = builderDn(name);
  const groups = args.memberOf.map((it) => groupOfProject(name, it));
  const filter = `(|(uid=${name})${[...groups, ownGroup(name)].map((it) => `(cn=${it})`).join('')})`;
  const found = await search(system, tree.root, filter, { scope: 'sub', attributes: ['member'] });
  const at = (wanted: string): Record<string, string[]> | undefined => found.find((entry) => entry.dn?.[0] === wanted);
  const own = at(groupDn(ownGroup(name)));
  if (at(dn) === undefined)
    return own === undefined ? { present: false } : { present: true, differs: 'only its group is there, it itself is missing' };
  const lacking = groups.find((group) => at(groupDn(group))?.member?.includes(dn) !== true);
  if (lacking !== undefined) return { present: true, differs: `it is not in the group ${lacking}` };
  const others = shownMembers((own?.member ?? []).filter((it) => it !== dn));
  if (others !== '') return { present: true, differs: `${others} can do in ${ownGroup(name)} what it alone should` };
  if (args.password !== undefined && !(await passwordFits(system, dn, args.password)))
    return { present: true, differs: 'its password is not the one that builds have' };
  return { present: true };
}

/** Removes the entry and its own group, whoever is in it: it is nobody else's. */
export async function removeBuilder(system: System, given: unknown): Promise<void> {
  const name = builderName(given);
  await removeAccount(system, builderDn(name));
  await removeEntry(system, groupDn(ownGroup(name)));
}

/** All builders, those too of which only the group is there; one search. */
export async function listBuilders(system: System): Promise<string[]> {
  const filter = '(|(&(objectClass=inetOrgPerson)(ou:dn:=builders))(&(objectClass=groupOfNames)(cn=*.builders)))';
  const found = await search(system, tree.root, filter, { scope: 'sub', attributes: ['cn'] });
  const names = found.flatMap(({ cn }) => cn?.[0]?.replace(/\.builders$/, '.builder') ?? []);
  return [...new Set(names)].sort();
}

const ownGroup = (name: string): string => groupName(`${name}s`);

/** A builder belongs to groups of its own project alone. */
function groupOfProject(name: string, group: string): string {
  const project = name.slice(0, name.indexOf('.'));
  if (!group.startsWith(`${project}.`)) throw new DriverError(`${JSON.stringify(group)} is no group of ${project}`);
  return groupName(group);
}
