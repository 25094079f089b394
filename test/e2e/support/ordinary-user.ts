import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type CliResult, checkout, cli, must, run } from './cli.ts';

/** Somebody without rights, with a copy of the checkout, as a person has on their own computer. */
export interface OrdinaryUser {
  /** Their number. */
  readonly uid: number;
  /** Runs `npm start -- ARGS` in their copy. */
  cli(args: readonly string[]): Promise<CliResult>;
  /** Runs Node.js in a folder of theirs, on a machine with no network at all where the tests may take it away. */
  offline(folder: string, args: readonly string[]): Promise<CliResult>;
  /** Gives them a folder itself, not what is in it. */
  give(folder: string): Promise<void>;
  remove(): Promise<void>;
}

const name = 'devserver-test';

/**
 * Makes an account and its copy of the checkout in `folder`/home; who runs the tests without being root is
 * an ordinary user already. Remove it afterwards.
 */
export async function ordinaryUser(folder: string): Promise<OrdinaryUser> {
  const own = process.getuid?.() ?? 0;
  if (own !== 0)
    return {
      uid: own,
      cli,
      offline: (cwd, args) => run(process.execPath, args, { cwd }),
      give: async () => {},
      remove: async () => {},
    };
  const home = path.join(folder, 'home');
  mkdirSync(home);
  await forget();
  await must('useradd', ['--no-create-home', '--home-dir', home, '--shell', '/bin/sh', name]);
  const uid = Number(await must('id', ['--user', name]));
  // mmdebstrap's namespace needs a range of numbers; not every system's useradd hands one out
  const ranges = ['--add-subuids', '700000-765535', '--add-subgids', '700000-765535'];
  if ((await run('grep', ['-q', `^${name}:`, '/etc/subuid'])).exitCode !== 0) await must('usermod', [...ranges, name]);
  const copied = [
    'start.mjs',
    'package.json',
    'package-lock.json',
    'src',
    'test',
    'provision',
    'stacks',
    'templates',
    'node_modules',
  ];
  await must('cp', ['-r', '--reflink=auto', '--', ...copied.map((it) => path.join(checkout, it)), home]);
  await must('chown', ['--recursive', '--no-dereference', `${name}:`, home]);
  const env = { HOME: home, USER: name, LOGNAME: name, XDG_CACHE_HOME: path.join(home, 'cache') };
  const become = ['--reuid', name, '--regid', name, '--init-groups'];
  return {
    uid,
    cli: (args) => run('setpriv', [...become, process.execPath, 'start.mjs', 'run', ...args], { cwd: home, env }),
    offline: (cwd, args) => run('unshare', ['--net', 'setpriv', ...become, process.execPath, ...args], { cwd, env }),
    give: async (given) => void (await must('chown', [`${name}:`, given])),
    remove: forget,
  };
}

async function forget(): Promise<void> {
  if ((await run('id', [name])).exitCode === 0) await must('userdel', [name]);
}
