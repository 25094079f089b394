import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { Visitor } from './access.ts';
import { type Clients, verdict } from './clients.ts';

export const kinds = ['git', 'hg', 'svn'] as const;
export type Kind = (typeof kinds)[number];

/** A working copy of a project's sources; dev's unless somebody else is named. */
export async function checkedOut(clients: Clients, kind: Kind, name: string, as: Visitor = 'dev'): Promise<string> {
  const folder = clients.fresh(name);
  const taken = {
    git: () => clients.git('clone', '-q', clients.url(`/git/${name}.git`, as), folder),
    hg: () => clients.hg('clone', '-q', clients.url(`/hg/${name}`, as), folder),
    svn: () => clients.svn(as, 'checkout', '-q', clients.url(`/svn/${name}/trunk`), folder),
  };
  expect(verdict(await taken[kind]())).toBe('yes');
  return folder;
}

/** Commits one more line under a foreign author's name, and pushes as dev. */
export async function commit(clients: Clients, kind: Kind, folder: string, message: string): Promise<string> {
  const file = path.join(folder, 'README.md');
  writeFileSync(file, `${readFileSync(file, 'utf8')}more\n`);
  if (kind === 'git') {
    await clients.must('git', ['-C', folder, '-c', 'user.name=rob', '-c', 'user.email=rob@x', 'commit', '-qam', message]);
    return verdict(await clients.git('-C', folder, 'push', '-q'));
  }
  if (kind === 'hg') {
    await clients.must('hg', ['-R', folder, 'commit', '-u', 'rob', '-m', message]);
    // hg keeps no password in its configuration
    return verdict(
      await clients.hg('-R', folder, 'push', '-q', clients.url(`/hg/${path.basename(folder).replace(/-\d+$/, '')}`, 'dev')),
    );
  }
  return verdict(await clients.svn('dev', 'commit', '-q', '-m', message, folder));
}
