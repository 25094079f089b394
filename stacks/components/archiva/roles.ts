import { DriverError } from '../../../src/kernel/driver-kit.ts';
import type { ProjectFacts } from '../../../src/kernel/project.ts';
import { ask } from './driver-connection.ts';

const service = 'redbackServices/roleManagementService';

/** The two roles Archiva keeps for a repository, by what they let people do in its own pages. */
export function rolesOfRepository(name: string): Readonly<Record<'browse' | 'manage', string>> {
  return { browse: `Repository Observer - ${name}`, manage: `Repository Manager - ${name}` };
}

/**
 * Who sees a project in Archiva's pages: its members, who all may look and nothing else. What they deploy goes through the
 * front, which knows their roles; a manager could delete a release here and deploy it anew.
 */
export function browsersOf({ members }: ProjectFacts): string[] {
  return Object.keys(members).sort();
}

/** Gives a role to exactly these people; counts at once. Names the directory doesn't know are left out. */
export async function setHolders(role: string, wanted: readonly string[]): Promise<void> {
  const holders = await holdersOf(role);
  if (holders === undefined && wanted.length === 0) return;
  let add = wanted.filter((it) => holders?.includes(it) !== true);
  let gone = (holders ?? []).filter((it) => !wanted.includes(it));
  while (add.length + gone.length > 0) {
    const change = { name: role, users: add.map(person), removedUsers: gone.map(person) };
    const { status, body } = await ask(`${service}/updateRoleUsers`, change);
    if (status === 200 && body === true) return;
    const unknown = unknownPerson(body);
    if (unknown === undefined || ![...add, ...gone].includes(unknown))
      throw new DriverError(`Archiva answered ${status} to the holders of ${role}`, 'journalctl -u devserver-tomcat@archiva');
    add = add.filter((it) => it !== unknown);
    gone = gone.filter((it) => it !== unknown);
  }
}

/** In which way a role's holders are not these people. Who is unknown can't have it, such as somebody who may not log in. */
export async function holdersDifference(role: string, wanted: readonly string[]): Promise<string | undefined> {
  const holders = (await holdersOf(role)) ?? [];
  const tooMany = holders.filter((it) => !wanted.includes(it));
  if (tooMany.length > 0) return `${tooMany.join(', ')} can see it in Archiva`;
  for (const name of wanted.filter((it) => !holders.includes(it)))
    if (await isKnown(name)) return `${name} can not see it in Archiva`;
  return undefined;
}

async function isKnown(name: string): Promise<boolean> {
  const { status, body } = await ask(`redbackServices/userService/getUser/${encodeURIComponent(name)}`);
  return status === 200 && typeof body === 'object' && body !== null;
}

/** Who has the role itself; undefined: Archiva never had such a repository. */
async function holdersOf(role: string): Promise<string[] | undefined> {
  const { status, body } = await ask(`${service}/getRole/${encodeURIComponent(role)}`);
  if (status === 500 && JSON.stringify(body).includes('Unable to find RBAC Object')) return undefined;
  const users = status === 200 ? (body as { users?: { username: string }[] | null }).users : undefined;
  if (status !== 200) throw new DriverError(`Archiva answered ${status} when it was asked for ${role}`);
  return (users ?? []).map(({ username }) => username);
}

const person = (username: string): { username: string } => ({ username });

/** The name in Archiva's complaint; such a change was refused as a whole. */
function unknownPerson(body: unknown): string | undefined {
  const { errorMessages } = (body ?? {}) as { errorMessages?: { errorKey?: string; args?: string[] }[] };
  return errorMessages?.find(({ errorKey }) => errorKey === 'user.not.exists')?.args?.[0];
}
