import { chmod, copyFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../kernel/errors.ts';
import type { System } from '../kernel/system.ts';
import type { PackageSources } from '../plan/plan.ts';
import type { Pocket } from '../plan/pockets.ts';
import { openFolder } from './cache.ts';
import { hooksFolder } from './package-parameters.ts';

/** The archives that mmdebstrap takes for a suite when none is named, the main one first. It is asked and nothing is fetched. */
export async function defaultSources(
  { suite, architecture, packageComponents }: Pick<PackageSources, 'suite' | 'architecture' | 'packageComponents'>,
  system: System,
): Promise<Pocket[]> {
  const hook = 'tell-sources.sh';
  // in a user namespace hooks run as another user, who can't enter a private home
  const folder = await openFolder();
  await copyFile(path.join(hooksFolder(), hook), path.join(folder, hook));
  await chmod(path.join(folder, hook), 0o755);
  const args = [
    '--quiet',
    '--variant=custom',
    `--mode=${system.isRoot ? 'root' : 'unshare'}`,
    '--format=tar',
    `--architectures=${architecture}`,
    `--components=${packageComponents.join(',')}`,
    `--setup-hook=${path.join(folder, hook)}`,
    suite,
    '/dev/null',
  ];
  const command = { file: 'mmdebstrap', cwd: '/', args, env: { LC_ALL: 'C.UTF-8' } };
  const { stdout, stderr } = await system
    .run(command, { accept: 'any' })
    .finally(() => rm(folder, { recursive: true, force: true }));
  const lines = `${stdout}\n${stderr}`.split('\n');
  const found = lines.flatMap((line): Pocket[] => {
    const [, url = '', of = ''] = /^deb (?:\[[^\]]*\] )?(\S+) (\S+) /.exec(line) ?? [];
    return url === '' ? [] : [{ url: url.replace(/\/$/, ''), suite: of }];
  });
  if (found.length === 0)
    throw new UserError(`mmdebstrap knows no archive of ${suite}`, {
      details: lines.filter((line) => line.trim() !== '').slice(-3),
      hint: 'name one with --mirror URL',
    });
  return found;
}
