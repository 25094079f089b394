import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { must } from '../e2e/support/cli.ts';

/** What a person sees who clones or checks out. */
export interface WorkingCopy {
  /** Path to content, a character per byte; an executable's begins with `x:`. */
  readonly files: Readonly<Record<string, string>>;
  /** As the client shows them; empty when there is no commit. */
  readonly author: string;
  readonly message: string;
}

/** One VCS on this machine, as its contract needs it. */
export interface VcsClient {
  readonly name: string;
  readonly programs: readonly string[];
  /** Of an entry below the store. */
  readonly suffix: string;
  /** Clones into a folder that is not there yet. */
  readonly clone: (repository: string, into: string) => Promise<WorkingCopy>;
  /** Checks every byte with the VCS's own program. */
  readonly verify: (repository: string) => Promise<unknown>;
  /** How it writes a person down. */
  readonly author: (name: string, mail: string) => string;
}

const env = {
  HOME: '/nonexistent',
  LC_ALL: 'C.UTF-8',
  HGRCPATH: '',
  HGPLAIN: '1',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  XDG_CONFIG_HOME: '/nonexistent',
} as const;
const run = (file: string, ...args: string[]): Promise<string> => must(file, args, { env });

export const vcsClients: readonly VcsClient[] = [
  {
    name: 'git',
    programs: ['git'],
    suffix: '.git',
    clone: async (repository, into) => {
      await run('git', 'clone', '--quiet', repository, into);
      const commits = (await run('git', '-C', into, 'rev-list', '--all', '--count')).trim();
      const log = commits === '0' ? '\n' : await run('git', '-C', into, 'log', '-1', '--format=%an <%ae>%n%B');
      return { files: filesOf(into, '.git'), ...split(log) };
    },
    verify: (repository) => run('git', `--git-dir=${repository}`, 'fsck', '--strict', '--full'),
    author: (name, mail) => `${name} <${mail}>`,
  },
  {
    name: 'hg',
    programs: ['hg', '/usr/bin/python3'],
    suffix: '',
    clone: async (repository, into) => {
      await run('hg', 'clone', '--quiet', '--pull', repository, into);
      const log = await run('hg', '-R', into, 'log', '-r', 'tip and not null', '-T', '{author}\\n{desc}');
      return { files: filesOf(into, '.hg'), ...split(log) };
    },
    verify: (repository) => run('hg', '-R', repository, 'verify', '--quiet'),
    author: (name, mail) => `${name} <${mail}>`,
  },
  {
    name: 'svn',
    programs: ['svn', 'svnadmin', 'svnlook'],
    suffix: '',
    clone: async (repository, into) => {
      const folders = (await run('svnlook', 'tree', '--non-recursive', repository)).trim().split('\n').sort();
      const found = folders.map((it) => it.trim()).join(' ');
      if (found !== 'branches/ tags/ trunk/ /') throw new Error(`the layout is ${found}`);
      await run('svn', 'checkout', '--quiet', '--config-dir', `${into}.config`, `file://${repository}/trunk`, into);
      const author = (await run('svnlook', 'author', repository)).trim();
      return { files: filesOf(into, '.svn'), ...split(`${author}\n${await run('svnlook', 'log', repository)}`) };
    },
    verify: (repository) => run('svnadmin', 'verify', '--quiet', repository),
    author: (name) => name,
  },
];

function split(text: string): { author: string; message: string } {
  const [, author = '', message = ''] = /^([^\n]*)\n?(.*)$/s.exec(text) ?? [];
  return { author, message: message.trim() };
}

function filesOf(folder: string, without: string, below = ''): Record<string, string> {
  return Object.assign(
    {},
    ...readdirSync(path.join(folder, below), { withFileTypes: true })
      .filter(({ name }) => name !== without)
      .map(({ name }) => {
        const at = path.join(below, name);
        const full = path.join(folder, at);
        const { mode } = statSync(full);
        if (statSync(full).isDirectory()) return filesOf(folder, without, at);
        return { [at]: `${mode & 0o100 ? 'x:' : ''}${readFileSync(full, 'latin1')}` };
      }),
  ) as Record<string, string>;
}
