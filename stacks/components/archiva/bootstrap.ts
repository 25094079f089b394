/**
 * Brings a running Archiva 2.1.0 from its first start to the state devserver needs.
 *
 * Archiva makes its own administrator `archiva.root` while it starts, before its connector opens
 * (redback.admin.creation.file), so that the unauthenticated createAdminUser is closed from the
 * first moment. What is left is here: every step asks first and can be killed and repeated anywhere.
 */

import { ArchivaError, type Connection, type Credential, get, isEmptyList, isRefusal, post, requireTrue } from './rest.ts';

/** The jdo account of redback.default.admin. The dot keeps it apart from every user's name. */
export const ROOT = 'archiva.root';

const ADMINISTRATOR = { id: 'system-administrator', name: 'System Administrator' } as const;
/** Of our own redback.xml: all that the driver and the front may, and no more. */
const DRIVER = 'Devserver Driver';
const FRONT = 'Devserver Front';
const GUEST = 'guest';

export interface BootstrapOptions {
  /** Where Archiva answers, for instance http://127.0.0.1:8081/archiva */
  readonly base: string;
  readonly rootPassword: string;
  /** The LDAP account the driver works with from now on. */
  readonly service: Credential;
  /** The account the front works with on every project's repository. */
  readonly front: string;
  /** Users who administer Archiva too. */
  readonly administrators?: readonly string[];
  readonly signal?: AbortSignal;
  /** Called after each request that changed something. */
  readonly onStep?: (step: string) => void;
}

export interface BootstrapResult {
  /** The steps that had to be taken; empty when all was in place. */
  readonly taken: readonly string[];
}

interface Step {
  readonly name: string;
  readonly isDone: () => Promise<boolean>;
  readonly take: () => Promise<void>;
}

/** Takes every step that is not done yet, in order, and at last makes sure that nobody unknown gets in. */
export async function bootstrapArchiva(options: BootstrapOptions): Promise<BootstrapResult> {
  const root = connect(options, { user: ROOT, password: options.rootPassword });
  // A first start killed between making archiva.root and giving it its role leaves an account that may nothing.
  await requireAdministrator(root, 'its first start was cut short', 'no-root');

  const taken: string[] = [];
  for (const step of stepsOf(options, root)) {
    if (await step.isDone()) continue;
    await step.take();
    if (!(await step.isDone())) throw new ArchivaError(`Archiva said yes to "${step.name}" and did not do it`, 200);
    taken.push(step.name);
    options.onStep?.(step.name);
  }
  await requireAdministrator(connect(options, options.service), 'is the directory up, and is this its password?');
  if (!(await isClosed(options))) throw new ArchivaError('Archiva is still open to unknown users', 200);
  return { taken };
}

/**
 * Whether a stranger gets nothing: createAdminUser refuses (isAdminUserExists is the very guard it asks),
 * the list of users is refused, and no repository may be seen. Changes nothing.
 */
export async function isClosed(options: Pick<BootstrapOptions, 'base' | 'signal'>): Promise<boolean> {
  const stranger = connect(options, undefined);
  const [guard, users, repositories] = await Promise.all([
    get(stranger, 'redbackServices/userService/isAdminUserExists'),
    get(stranger, 'redbackServices/userService/getUsers'),
    get(stranger, 'archivaServices/browseService/userRepositories'),
  ]);
  return guard.body === true && isRefusal(users) && (isRefusal(repositories) || isEmptyList(repositories.body));
}

function stepsOf(options: BootstrapOptions, root: Connection): readonly Step[] {
  return [
    setRoles(root, GUEST, []),
    setRoles(root, options.service.user, [DRIVER]),
    setRoles(root, options.front, [FRONT]),
    ...(options.administrators ?? []).map((user) => giveRole(root, user, ADMINISTRATOR)),
  ];
}

function giveRole(root: Connection, user: string, role: typeof ADMINISTRATOR): Step {
  return {
    name: `make ${user} a ${role.name}`,
    isDone: async () => (await rolesOf(root, user)).includes(role.name),
    take: async () => {
      const query = new URLSearchParams({ roleId: role.id, principal: user });
      requireTrue(await get(root, `redbackServices/roleManagementService/assignRole?${query.toString()}`), 'assignRole');
    },
  };
}

/** These roles and no others. Every start of Archiva gives guest the role Guest again; alone it opens nothing of ours. */
function setRoles(root: Connection, user: string, roles: readonly string[]): Step {
  return {
    name: roles.length === 0 ? `take every role from ${user}` : `make ${user} a ${roles.join(', ')} and nothing else`,
    isDone: async () => [...(await rolesOf(root, user))].sort().join() === [...roles].sort().join(),
    take: async () => {
      const change = { username: user, assignedRoles: roles };
      requireTrue(await post(root, 'redbackServices/roleManagementService/updateUserRoles', change), 'updateUserRoles');
    },
  };
}

async function requireAdministrator(connection: Connection, hint: string, reason: 'no-root' | 'other' = 'other'): Promise<void> {
  const { status } = await get(connection, 'redbackServices/userService/getUsers');
  if (status === 200) return;
  throw new ArchivaError(
    `${connection.credential?.user ?? 'nobody'} may not administer Archiva (${status}): ${hint}`,
    status,
    isRefusal({ status, body: undefined }) ? reason : 'other',
  );
}

async function rolesOf(connection: Connection, user: string): Promise<readonly string[]> {
  const path = `redbackServices/roleManagementService/getEffectivelyAssignedRoles/${encodeURIComponent(user)}`;
  const { status, body } = await get(connection, path);
  if (status !== 200 || !Array.isArray(body)) throw new ArchivaError(`the roles of ${user} cannot be read`, status);
  return body.map(nameOf);
}

function nameOf(role: unknown): string {
  if (typeof role === 'object' && role !== null && 'name' in role && typeof role.name === 'string') return role.name;
  throw new ArchivaError('a role without a name', 200);
}

function connect({ base, signal }: Pick<BootstrapOptions, 'base' | 'signal'>, credential: Credential | undefined): Connection {
  return { base: base.replace(/\/+$/, ''), credential, signal };
}
