import type { Derived } from '../../../src/kernel/derived.ts';
import { DriverError } from '../../../src/kernel/driver-kit.ts';
import { checkedSeed } from '../../../src/kernel/driver-seed.ts';
import type { ProjectFacts, ResourceArgs } from '../../../src/kernel/project.ts';
import type { System } from '../../../src/kernel/system.ts';
import { fastImport } from './fast-import.ts';

/** git as nobody has configured it: neither the system's file nor a home counts. */
const env = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', HOME: '/nonexistent', LC_ALL: 'C.UTF-8' } as const;

/** A bare repository in the empty `folder`, with the seed as its first commit. */
export async function buildRepository(system: System, folder: string, { project, seed }: ResourceArgs): Promise<void> {
  const checked = checkedSeed(seed);
  const branch = branchOf(project);
  await system.run({
    file: 'git',
    args: ['init', '--quiet', '--bare', '--template=', `--initial-branch=${branch}`, folder],
    env,
  });
  if (checked === undefined || checked.files.length === 0) return;
  const input = fastImport(checked, `refs/heads/${branch}`, new Date());
  // a pack even of few objects: one file to be flushed
  const args = ['-c', 'fastimport.unpackLimit=1', `--git-dir=${folder}`, 'fast-import', '--quiet', '--done'];
  await system.run({ file: 'git', args, env, input });
}

const config = `# made again by the appliance; changes are lost
[core]
	repositoryFormatVersion = 0
	fileMode = true
	bare = true
	sharedRepository = false
`;

/** Without these git takes a directory for no repository. */
export const essential = ['HEAD', 'objects', 'refs'];

/**
 * The repository's own configuration, nothing of which is anybody's choice; what holds for all stands in /etc/gitconfig,
 * its hooks among it. The hook `pre-receive` protects the branch of HEAD unless it finds devserver-unprotected.
 */
export function derivedOf({ protectBranch }: ProjectFacts): Derived[] {
  const unprotected = { path: 'devserver-unprotected', text: '', mode: 0o640 };
  return [
    { path: 'config', is: 'file', text: config, mode: 0o640 },
    { ...unprotected, is: protectBranch ? 'absent' : 'file' },
  ];
}

/** The same pattern as the option defaultBranch, without the names git refuses. */
function branchOf({ branch }: ProjectFacts): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/.test(branch) || /\.\.|\.$|\.lock$/.test(branch))
    throw new DriverError(`${JSON.stringify(branch)} can be no branch`);
  return branch;
}
