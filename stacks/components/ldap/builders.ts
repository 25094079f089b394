import { z } from 'zod';
import { DriverError } from '../../../src/kernel/driver-kit.ts';
import type { System } from '../../../src/kernel/system.ts';
import { addMember, applyEntry, ensureEntry, passwordFits, readEntry, removeEntry, setPassword, tree } from './directory.ts';
import { builderName, groupName } from './names.ts';

/** Arguments of `apply` for the login a project's builds have. */
export const serviceAccountArgs = z.strictObject({
  kind: z.literal('service-account'),
  name: z.string(),
  password: z.string().min(16).max(200),
  memberOf: z.array(z.string()).max(4),
});

/** Where a builder's entry is; below ou=builders, so that nothing meant for people or services takes it in. */
export function builderDn(name: unknown): string {
  return `uid=${builderName(name)},${tree.builders}`;
}

/** Makes the entry, its groups and its password so; the groups are its own and come and go with it. */
export async function applyBuilder(system: System, args: z.output<typeof serviceAccountArgs>): Promise<void> {
  const name = builderName(args.name);
  const dn = builderDn(name);
  await applyEntry(system, dn, { objectClass: ['inetOrgPerson'], uid: [name], cn: [name], sn: [name] });
  for (const group of args.memberOf.map((it) => ownGroup(name, it))) {
    await ensureEntry(system, `cn=${group},${tree.groups}`, {
      objectClass: ['groupOfNames'],
      cn: [group],
      member: [tree.nobody],
    });
    await addMember(system, group, dn);
  }
  const hasPassword = (await readEntry(system, dn))?.userPassword !== undefined;
  if (!hasPassword || !(await passwordFits(system, dn, args.password))) await setPassword(system, dn, args.password);
}

/** Removes the entry, and the group of builders when nobody is left in it. */
export async function removeBuilder(system: System, given: unknown): Promise<void> {
  const name = builderName(given);
  await removeEntry(system, builderDn(name));
  const group = `cn=${groupName(`${name}s`)},${tree.groups}`;
  const left = (await readEntry(system, group))?.member ?? [];
  if (left.every((member) => member === tree.nobody || member === builderDn(name))) await removeEntry(system, group);
}

/** A builder belongs to groups of its own project alone. */
function ownGroup(name: string, group: string): string {
  const project = name.slice(0, name.indexOf('.'));
  if (!group.startsWith(`${project}.`)) throw new DriverError(`${JSON.stringify(group)} is no group of ${project}`);
  return groupName(group);
}
