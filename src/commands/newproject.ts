import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { ask as askAtTerminal } from '../kernel/ask.ts';
import { openApi } from '../kernel/client/api.ts';
import { type NewProjectContext, type NewProjectOptions, newProject, requestOf } from '../kernel/client/newproject.ts';
import { readPassword } from '../kernel/client/password.ts';
import type { RemoteReach } from '../kernel/client/reach.ts';
import { terminalOutput } from '../kernel/client/terminal-output.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { userName } from '../kernel/project.ts';
import type { Question } from '../kernel/question.ts';
import { Secret } from '../kernel/secret.ts';
import { siteAddress } from '../kernel/site-address.ts';
import type { CommandContext, CommonOptions } from './context.ts';

/** What `newproject` may be told from outside, beside what it may be told inside. */
export interface RemoteOptions extends NewProjectOptions, Omit<CommonOptions, 'dryRun'> {
  readonly server?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
}

/** Who is at this computer. */
export interface Surroundings extends Pick<NewProjectContext, 'terminal' | 'ask'> {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * `newproject [NAME] --server URL`: makes a project in a running appliance, through its API.
 * @throws UserError in the server's words; exit code 4 when it can't be reached or is not trusted, 130 at Ctrl-C.
 */
export async function runNewProject(
  name: string | undefined,
  options: RemoteOptions,
  { signal }: Pick<CommandContext, 'signal'>,
  around: Surroundings = thisComputer(options),
): Promise<void> {
  const request = requestOf(name, options);
  const reach = await reachOf(options, request.name !== undefined, around);
  const output = terminalOutput({ json: options.json === true, plain: options.plain === true });
  await newProject(request, options, { api: openApi(reach, signal), ...around, ...output });
}

/** Server, login and authority, each checked before anything is sent; at a terminal what is missing is asked for. */
async function reachOf(options: RemoteOptions, isNamed: boolean, { env, terminal, ask }: Surroundings): Promise<RemoteReach> {
  const { server, user = loginName(env), passwordFile, ca } = options;
  const asks = terminal && options.yes !== true;
  const password = passwordFile === undefined ? given(env.DEVSERVER_PASSWORD) : readPassword(passwordFile);
  const missing = [
    ...(isNamed ? [] : ['NAME']),
    ...(server === undefined ? ['--server'] : []),
    ...(user === undefined ? ['--user'] : []),
    ...(password === undefined ? ['--password-file'] : []),
  ];
  if (missing.length > 0 && !asks)
    throw usage(
      `nobody is there to ask for ${missing.join(', ')}`,
      'give these; the password may also stand in DEVSERVER_PASSWORD',
    );
  const wrong = [...faultOf('--server', server, whyNoServer), ...faultOf('--user', user, whyNoUser)];
  if (wrong.length > 0) throw usage(wrong.join('; '));
  const authority = ca === undefined ? undefined : { file: ca, certificate: certificateIn(ca) };
  const url = server ?? String(await ask(serverQuestion));
  const login = user ?? String(await ask(userQuestion));
  return {
    url: url.replace(/\/$/, ''),
    user: login,
    password: password ?? new Secret(String(await ask(passwordQuestion(login)))),
    ...(authority === undefined ? {} : { authority }),
  };
}

const serverQuestion: Question = {
  ...{ id: 'server', flag: 'server', message: 'Address of the server', kind: 'text', default: 'https://' },
  whyWrong: whyNoServer,
};
const userQuestion: Question = {
  ...{ id: 'user', flag: 'user', message: 'Your login there', kind: 'text', default: '' },
  whyWrong: whyNoUser,
};
const passwordQuestion = (user: string): Question => ({
  ...{ id: 'password', flag: 'password-file', message: `Password of ${user}`, kind: 'secret', default: '' },
  whyWrong: (value) => (value === '' ? 'a password is needed' : undefined),
});

function whyNoServer(value: string): string | undefined {
  if (siteAddress.test(value) && URL.canParse(value)) return undefined;
  // a password in an address stands in the list of processes and in the shell's history
  const hint = /\/\/[^/]*@/.test(value)
    ? ', without a login in it'
    : value.startsWith('http:')
      ? ': a login goes over HTTPS only'
      : '';
  return `must be an address such as https://dev.example.org${hint}`;
}

function whyNoUser(value: string): string | undefined {
  return userName.safeParse(value).error?.issues[0]?.message;
}

function faultOf(flag: string, value: string | undefined, why: (value: string) => string | undefined): string[] {
  const message = value === undefined ? undefined : why(value);
  // what may hold a password is not repeated
  return message === undefined ? [] : [`${flag}${value?.includes('@') === true ? '' : ` ${value}`}: ${message}`];
}

/** @throws UserError when there is no certificate in the file. */
function certificateIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(`--ca ${file} can't be read: ${(error as Error).message}`);
  }
  try {
    new X509Certificate(text);
    if (text.includes('-----BEGIN')) return text;
  } catch {
    // told below
  }
  throw new UserError(`--ca ${file} holds no certificate in PEM form`, {
    hint: 'it begins with -----BEGIN CERTIFICATE-----, as the one offered at /ca.crt does',
    exitCode: exitCodes.badData,
  });
}

function given(password: string | undefined): Secret | undefined {
  return password === undefined || password === '' ? undefined : new Secret(password);
}

/** The name of who is logged in here; undefined where there is none that can be a login of the server. */
function loginName(env: Surroundings['env']): string | undefined {
  const told = [env.USER, env.LOGNAME, env.USERNAME].find((name) => name !== undefined && name !== '');
  const name = told ?? accountName();
  return name !== undefined && whyNoUser(name) === undefined ? name : undefined;
}

function accountName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // an account without an entry, as in containers
    return undefined;
  }
}

function usage(message: string, hint?: string): UserError {
  return new UserError(message, { exitCode: exitCodes.usage, ...(hint === undefined ? {} : { hint }) });
}

function thisComputer({ json }: RemoteOptions): Surroundings {
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true && json !== true;
  return { env: process.env, terminal, ask: askAtTerminal };
}
