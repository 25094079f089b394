import type { Derived } from '../../../src/kernel/derived.ts';
import { checkedSeed } from '../../../src/kernel/driver-seed.ts';
import type { ResourceArgs } from '../../../src/kernel/project.ts';
import type { System } from '../../../src/kernel/system.ts';
import { layout, svnDump } from './dump.ts';

/** Hooks of every repository, on the system disk: root's, and the only ones there are. */
const hooks = '/usr/lib/devserver/svn-hooks';
const env = { HOME: '/nonexistent', LC_ALL: 'C.UTF-8' } as const;

/** A repository in the empty `folder`; its first revision holds trunk, branches, tags and the seed's files in trunk. */
export async function buildRepository(system: System, folder: string, { seed }: ResourceArgs): Promise<void> {
  const checked = checkedSeed(seed) ?? layout;
  await system.run({ file: 'svnadmin', args: ['create', '--fs-type', 'fsfs', folder], env });
  await system.run({
    file: 'svnadmin',
    // what is written here is flushed as a whole before it is published
    args: ['load', '--quiet', '--no-flush-to-disk', folder],
    env,
    input: svnDump(checked, new Date()),
  });
}

/** Without these there is no history. */
export const essential = ['format', 'db/format', 'db/current'];

/**
 * `hooks` leads to the system disk, and `conf` is empty: the front decides who may, and a file `hooks-env` there would
 * give the hooks another environment. Without a hook pre-revprop-change no log message or author is ever changed.
 */
export function derivedOf(): Derived[] {
  return [
    { path: 'hooks', is: 'link', to: hooks },
    { path: 'conf', is: 'empty-folder', mode: 0o750 },
    { path: 'db/fsfs.conf', is: 'file', text: '# made again by the appliance; changes are lost\n', mode: 0o640 },
  ];
}
