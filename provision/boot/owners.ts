import { readFileSync } from 'node:fs';

/** Numbers of the machine's users and groups, read once from /etc. */
export interface OwnerTable {
  /** @throws Error when there is no such user. */
  readonly uid: (user: string) => number;
  /** @throws Error when there is no such group. */
  readonly gid: (group: string) => number;
}

/** Reads /etc/passwd and /etc/group below `root`. */
export function readOwners(root = ''): OwnerTable {
  const users = numbers(`${root}/etc/passwd`);
  const groups = numbers(`${root}/etc/group`);
  return {
    uid: (user) => found(users, user, 'user'),
    gid: (group) => found(groups, group, 'group'),
  };
}

function numbers(file: string): ReadonlyMap<string, number> {
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => line.split(':'));
  return new Map(rows.map(([name = '', , id = '']) => [name, Number(id)]));
}

function found(table: ReadonlyMap<string, number>, name: string, kind: string): number {
  const id = table.get(name);
  if (id === undefined) throw new Error(`this appliance has no ${kind} ${name}`);
  return id;
}
