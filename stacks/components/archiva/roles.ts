import { DriverError } from '../../../src/kernel/driver-kit.ts';
import { ask, hint } from './driver-connection.ts';

const service = 'redbackServices/roleManagementService';
/** Each of them sees every repository, whatever else they hold. */
const wide = ['System Administrator', 'Global Repository Manager', 'Global Repository Observer'];

/** The roles Archiva keeps for a repository: who may look in its own pages, and who may change. */
export function rolesOfRepository(name: string): Readonly<Record<'browse' | 'manage', string>> {
  return { browse: `Repository Observer - ${name}`, manage: `Repository Manager - ${name}` };
}

/** Whether Archiva has the role; it makes them with the repository and keeps them when that goes. */
export async function hasBrowseRole(name: string): Promise<boolean> {
  const { status, body } = await ask(`${service}/templatedRoleExists?templateId=archiva-repository-observer&resource=${name}`);
  if (status !== 200 || typeof body !== 'boolean')
    throw new DriverError(`Archiva answered ${status} about a role of ${name}`, hint);
  return body;
}

/** Gives a role to these and takes it from those; counts at once. Whom Archiva doesn't know it leaves out and returns. */
export async function changeHolders(role: string, add: readonly string[], remove: readonly string[]): Promise<string[]> {
  const unknown: string[] = [];
  const known = (names: readonly string[]): { username: string }[] =>
    names.filter((it) => !unknown.includes(it)).map((username) => ({ username }));
  for (;;) {
    const change = { name: role, users: known(add), removedUsers: known(remove) };
    if (change.users.length + change.removedUsers.length === 0) return unknown;
    const { status, body } = await ask(`${service}/updateRoleUsers`, change);
    if (status === 200 && body === true) return unknown;
    const name = unknownPerson(body);
    if (name === undefined || unknown.includes(name) || ![...add, ...remove].includes(name))
      throw new DriverError(`Archiva answered ${status} to the holders of ${role}`, hint);
    unknown.push(name);
  }
}

/** The name in Archiva's complaint; those named before it have been changed already. */
function unknownPerson(body: unknown): string | undefined {
  const { errorMessages } = (body ?? {}) as { errorMessages?: { errorKey?: string; args?: string[] }[] };
  return errorMessages?.find(({ errorKey }) => errorKey === 'user.not.exists')?.args?.[0];
}

/** Who has the role itself. Archiva goes through all roles for it: half a second with 300 projects, two with 1,000. */
export async function holdersOf(role: string): Promise<string[]> {
  const { status, body } = await ask(`${service}/getRole/${encodeURIComponent(role)}`);
  if (status === 500 && JSON.stringify(body).includes('Unable to find RBAC Object')) return [];
  const users = status === 200 ? (body as { users?: { username: string }[] | null }).users : undefined;
  if (status !== 200) throw new DriverError(`Archiva answered ${status} when it was asked for ${role}`, hint);
  return (users ?? []).map(({ username }) => username);
}

/** What one person may, by their own roles and what these contain. */
export interface Held {
  readonly roles: ReadonlySet<string>;
  /** Whether they see every repository anyway, so that nobody can tell by their roles which were given for one. */
  readonly wide: boolean;
}

/** What every person holds, by name: the directory's people as Archiva knows them, without the projects' builders. */
export async function survey(): Promise<ReadonlyMap<string, Held>> {
  const { status, body } = await ask('redbackServices/userService/getUsers');
  if (status !== 200 || !Array.isArray(body))
    throw new DriverError(`Archiva answered ${status} when it was asked for people`, hint);
  const queue = (body as { username: string }[]).map(({ username }) => username).filter((it) => !it.endsWith('.builder'));
  const held = new Map<string, Held>();
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) held.set(name, await heldBy(name));
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  return held;
}

async function heldBy(person: string): Promise<Held> {
  const { status, body } = await ask(`${service}/getEffectivelyAssignedRoles/${encodeURIComponent(person)}`);
  if (status !== 200 || !Array.isArray(body))
    throw new DriverError(`Archiva answered ${status} about the roles of ${person}`, hint);
  const roles = new Set((body as { name: string }[]).map(({ name }) => name));
  return { roles, wide: wide.some((it) => roles.has(it)) };
}
