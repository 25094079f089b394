import * as z from 'zod';
import { type ProjectSpecification, userName } from '../../src/kernel/project.ts';

/** Names to accounts. An account is what the directory gives a person once, and gives to nobody again. */
export const accounts = z.record(userName, z.string().min(1).max(64));
export type Accounts = Readonly<z.output<typeof accounts>>;

/** The accounts of these people; who has none is left out. Pure. */
export function accountsOf(names: readonly string[], known: ReadonlyMap<string, string>): Accounts {
  return Object.fromEntries(
    names.flatMap((name) => {
      const account = known.get(name);
      return account === undefined ? [] : [[name, account]];
    }),
  );
}

/**
 * A project as it may come back: with those members alone whose name still is the account it was then. A name can have
 * been given to somebody new meanwhile, who must not get what another had. Pure.
 */
export function withSameAccounts(
  project: ProjectSpecification,
  then: Accounts,
  known: ReadonlyMap<string, string>,
): { readonly project: ProjectSpecification; readonly dropped: readonly string[] } {
  const isSame = (name: string): boolean => Object.hasOwn(then, name) && known.get(name) === then[name];
  const members = Object.fromEntries(Object.entries(project.members).filter(([name]) => isSame(name)));
  const dropped = Object.keys(project.members).filter((name) => !isSame(name));
  return { project: { ...project, members }, dropped: dropped.sort() };
}
