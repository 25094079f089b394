import { DriverError } from '../../../src/kernel/driver-kit.ts';
import { ask, hint } from './driver-connection.ts';

const service = 'redbackServices/roleManagementService';
/** Each of them sees every repository, whatever else they hold. */
const wide = ['System Administrator', 'Global Repository Manager', 'Global Repository Observer'];
/** Somebody whom Archiva always knows while the directory answers it. */
const known = 'archiva-driver';

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

/**
 * Archiva reads all roles of a person, changes one and writes all of them: two changes at once would undo each other,
 * whichever repositories they are about.
 */
let changes: Promise<unknown> = Promise.resolve();
function inTurn<T>(change: () => Promise<T>): Promise<T> {
  const mine = changes.then(change, change);
  changes = mine.catch(() => {});
  return mine;
}

/** Gives a role to these; counts at once. Whom Archiva doesn't know, such as somebody who may not log in, it leaves out. */
export function giveRole(role: string, people: readonly string[]): Promise<void> {
  return inTurn(async () => {
    let left = [...people];
    while (left.length > 0) {
      const change = { name: role, users: left.map((username) => ({ username })), removedUsers: [] };
      const { status, body } = await ask(`${service}/updateRoleUsers`, change);
      if (status === 200 && body === true) return;
      const name = unknownPerson(body);
      if (name === undefined || !left.includes(name))
        throw new DriverError(`Archiva answered ${status} to the holders of ${role}`, hint);
      left = left.filter((it) => it !== name);
    }
  });
}

/** The name in Archiva's complaint; those named before it have been changed already. */
function unknownPerson(body: unknown): string | undefined {
  const { errorMessages } = (body ?? {}) as { errorMessages?: { errorKey?: string; args?: string[] }[] };
  return errorMessages?.find(({ errorKey }) => errorKey === 'user.not.exists')?.args?.[0];
}

/** Takes a role from these, also from whom Archiva doesn't know: they would have it again once it does. */
export function takeRole(role: string, people: readonly string[]): Promise<void> {
  return inTurn(async () => {
    for (const principal of people) {
      const query = new URLSearchParams({ roleName: role, principal });
      const { status, body } = await ask(`${service}/unassignRoleByName?${query.toString()}`);
      const isDone = (status === 200 && body === true) || (status === 500 && /does not exist/.test(JSON.stringify(body)));
      if (!isDone) throw new DriverError(`Archiva answered ${status} when it was to take ${role} from ${principal}`, hint);
    }
  });
}

/**
 * Who has the role itself, as far as Archiva knows them. Archiva goes through all roles for it: half a second with 300
 * projects, two with 1,000.
 */
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
export async function survey(): Promise<Map<string, Held>> {
  const { status, body } = await ask('redbackServices/userService/getUsers');
  if (status !== 200 || !Array.isArray(body))
    throw new DriverError(`Archiva answered ${status} when it was asked for people`, hint);
  const names = (body as { username: string }[]).map(({ username }) => username);
  // without the directory Archiva says that there is nobody
  if (!names.includes(known)) throw new DriverError('Archiva knows nobody: does the directory answer it?', hint);
  const queue = names.filter((it) => !it.endsWith('.builder'));
  const held = new Map<string, Held>();
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) held.set(name, await heldBy(name));
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  return held;
}

/** What one of them holds now. */
export async function heldBy(person: string): Promise<Held> {
  const { status, body } = await ask(`${service}/getEffectivelyAssignedRoles/${encodeURIComponent(person)}`);
  if (status !== 200 || !Array.isArray(body))
    throw new DriverError(`Archiva answered ${status} about the roles of ${person}`, hint);
  const roles = new Set((body as { name: string }[]).map(({ name }) => name));
  return { roles, wide: wide.some((it) => roles.has(it)) };
}
