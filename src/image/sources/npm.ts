import { UserError } from '../../kernel/errors.ts';
import type { System } from '../../kernel/system.ts';

/** Address of an npm package's tarball, asked of npm itself: its registry and settings apply. */
export async function npmUrl(name: string, version: string, mirror: string | undefined, system: System): Promise<string> {
  const { stdout } = await system.run({
    file: 'npm',
    args: ['view', `${name}@${version}`, 'dist.tarball', ...(mirror === undefined ? [] : [`--registry=${mirror}`])],
    // A project's own .npmrc in the current folder has no say here.
    cwd: '/',
    timeout: 120_000,
  });
  const url = stdout.trim();
  if (!/^https?:\/\/\S+$/.test(url)) {
    throw new UserError(`npm knows no tarball of ${name}@${version}`, {
      hint: 'check name and version',
      details: [url],
    });
  }
  return url;
}
