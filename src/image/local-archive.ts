import { createHash } from 'node:crypto';
import { chmod, constants, copyFile, link, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Deb } from './debs.ts';

/** An archive of these packages and no others in `dir`, as apt reads one; readable by every account. Its line for apt. */
export async function writeLocalArchive(
  dir: string,
  debs: readonly Deb[],
  { suite, architecture }: { readonly suite: string; readonly architecture: string },
): Promise<string> {
  const index = path.join('dists', suite, 'main', `binary-${architecture}`);
  for (const folder of ['.', 'pool', index]) await mkdir(path.join(dir, folder), { recursive: true, mode: 0o755 });
  const stanzas: string[] = [];
  for (const { locked, file, control } of debs) {
    const { name, version, sha256, bytes } = locked;
    const pooled = `pool/${name}_${version.replaceAll(':', '%3a')}_${locked.architecture}.deb`;
    await place(file, path.join(dir, pooled));
    stanzas.push(`${control.trimEnd()}\nFilename: ${pooled}\nSize: ${bytes}\nSHA256: ${sha256}\n`);
  }
  const packages = stanzas.join('\n');
  await writeFile(path.join(dir, index, 'Packages'), packages, { mode: 0o644 });
  const digest = createHash('sha256').update(packages).digest('hex');
  const release = [
    `Suite: ${suite}`,
    `Codename: ${suite}`,
    'Components: main',
    `Architectures: ${architecture}`,
    'SHA256:',
    ` ${digest} ${Buffer.byteLength(packages)} main/binary-${architecture}/Packages`,
    '',
  ];
  await writeFile(path.join(dir, 'dists', suite, 'Release'), release.join('\n'), { mode: 0o644 });
  // what is in it was held against the lock's digests, which no signature says more about
  // a line of apt's ends words at blanks, and takes % for the beginning of a code
  return `deb [trusted=yes] copy:${dir.replaceAll('%', '%25').replaceAll(' ', '%20')} ${suite} main`;
}

/** By another name of the same file where that is possible. */
async function place(file: string, target: string): Promise<void> {
  await link(file, target).catch(() => copyFile(file, target, constants.COPYFILE_FICLONE));
  await chmod(target, 0o644);
}
