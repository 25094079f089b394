import { readPassword } from '../../src/kernel/client/password.ts';
import type { CommandContext } from './context.ts';
import { inPath } from './project.ts';

export interface ShownUser extends Record<string, unknown> {
  readonly name: string;
  readonly fullName: string;
  readonly mail?: string;
  readonly disabled: boolean;
  readonly admin: boolean;
  readonly creator: boolean;
  readonly projects: Readonly<Record<string, string>>;
  readonly password?: string;
}

export interface UserOptions {
  readonly fullName?: string;
  readonly mail?: string;
  readonly admin?: boolean;
  readonly creator?: boolean;
  readonly passwordFile?: string;
}

/** `devserver user list`. */
export async function listUsers({ api, result }: CommandContext): Promise<void> {
  const list = await api.get<ShownUser[]>('/users');
  result(list.map(userLine).join('\n'), list);
}

/** `devserver user show NAME`. */
export async function showUser(name: string, { api, result }: CommandContext): Promise<void> {
  const user = await api.get<ShownUser>(`/users/${inPath(name)}`);
  const projects = Object.entries(user.projects).map(([project, role]) => `  ${project.padEnd(24)} ${role}`);
  result([userLine(user), ...projects].join('\n'), user);
}

/** `devserver user add NAME`: without a password of one's own a new one is shown once. */
export async function addUser(name: string, options: UserOptions, { api, result }: CommandContext): Promise<void> {
  const { fullName, mail, admin, creator } = options;
  const user = await api.send<ShownUser>('POST', '/users', {
    name,
    fullName,
    mail,
    admin,
    creator,
    password: passwordIn(options),
  });
  result(`${name} is there${passwordLine(user)}`, user);
}

/** `devserver user set NAME …`, `disable`, `enable`. */
export async function changeUser(name: string, change: Record<string, unknown>, { api, result }: CommandContext): Promise<void> {
  const user = await api.send<ShownUser>('PATCH', `/users/${inPath(name)}`, change);
  result(userLine(user), user);
}

/** `devserver user passwd NAME`: a new password, shown once, or the one in a file. */
export async function newPassword(name: string, options: UserOptions, { api, result }: CommandContext): Promise<void> {
  const password = passwordIn(options);
  const change = password === undefined ? { newPassword: true } : { password };
  const user = await api.send<ShownUser>('PATCH', `/users/${inPath(name)}`, change);
  result(`the password of ${name} is changed${passwordLine(user)}`, user);
}

/** `devserver user remove NAME`. */
export async function removeUser(name: string, { api, result }: CommandContext): Promise<void> {
  const answer = await api.send<{ removed: string; projects: string[] }>('DELETE', `/users/${inPath(name)}`);
  const from = answer.projects.length === 0 ? '' : `, and from ${answer.projects.join(', ')}`;
  result(`${name} is removed${from}`, { ...answer });
}

/** A password never stands in an argument: others could read it there. */
function passwordIn({ passwordFile }: UserOptions): string | undefined {
  if (passwordFile === undefined) return undefined;
  return readPassword(passwordFile).reveal();
}

/** What stands behind somebody's name when a password was made for them. */
export function passwordLine({ password }: ShownUser): string {
  return password === undefined ? '' : `; password, shown this once: ${password}`;
}

function userLine({ name, fullName, mail, disabled, admin, creator, projects }: ShownUser): string {
  const marks = [admin ? 'admin' : '', creator ? 'creator' : '', disabled ? 'disabled' : ''].filter((it) => it !== '').join(' ');
  return `${name.padEnd(24)} ${fullName.padEnd(28)} ${(mail ?? '').padEnd(28)} ${String(Object.keys(projects).length).padStart(3)} projects  ${marks}`.trimEnd();
}
