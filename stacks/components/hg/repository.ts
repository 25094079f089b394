import type { Derived } from '../../../src/kernel/derived.ts';
import { checkedSeed } from '../../../src/kernel/driver-seed.ts';
import type { ProjectFacts, ResourceArgs } from '../../../src/kernel/project.ts';
import type { System } from '../../../src/kernel/system.ts';

const program = '/usr/lib/devserver/hg-make.py';
/** Mercurial as nobody has configured it. */
const env = { HGRCPATH: '', HGRCSKIPREPO: '1', HGPLAIN: '1', HOME: '/nonexistent', LC_ALL: 'C.UTF-8' } as const;

/**
 * A repository in the empty `folder`, with the seed as its first commit. One program does both: starting Python
 * is most of what it costs, and nothing is checked out.
 */
export async function buildRepository(system: System, folder: string, { seed }: ResourceArgs): Promise<void> {
  const checked = checkedSeed(seed);
  const input = JSON.stringify(checked ?? null);
  await system.run({ file: '/usr/bin/python3', args: ['-I', program, folder], env, input });
}

/** Without these there is no history. */
export const essential = ['.hg/requires', '.hg/store'];

/** There is no hgrc: hgweb reads none of a repository. Its hook protects the branch unless it finds devserver-unprotected. */
export function derivedOf({ protectBranch }: ProjectFacts): Derived[] {
  const unprotected = { path: '.hg/devserver-unprotected', text: '', mode: 0o640 };
  return [
    { path: '.hg/hgrc', is: 'absent' },
    { ...unprotected, is: protectBranch ? 'absent' : 'file' },
  ];
}
