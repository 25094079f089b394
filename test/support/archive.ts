import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SigningKey } from './signing-key.ts';

/** A small package archive in the layout of a distribution's. */
export interface ArchiveFixture {
  readonly origin: string;
  readonly suite: string;
  /** Component to folder with its packages. */
  readonly components: Readonly<Record<string, string>>;
}

/** Lays out `root`: pool/COMPONENT, dists/SUITE/COMPONENT/binary-amd64/Packages. Sign it with `signArchive`. */
export function makeArchive(root: string, { suite, components }: ArchiveFixture): void {
  for (const [component, from] of Object.entries(components)) {
    const pool = path.join(root, 'pool', component);
    const index = path.join(root, 'dists', suite, component, 'binary-amd64');
    for (const folder of [pool, index]) mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(from).filter((name) => name.endsWith('.deb')))
      copyFileSync(path.join(from, file), path.join(pool, file));
    writeFileSync(path.join(index, 'Packages'), ftparchive(root, ['packages', `pool/${component}`]));
  }
}

/** Writes dists/SUITE/InRelease, signed by `key`, over whatever was there. */
export function signArchive(root: string, { origin, suite, components }: ArchiveFixture, key: SigningKey): void {
  const fields = {
    Origin: origin,
    Label: origin,
    Suite: suite,
    Codename: suite,
    Components: Object.keys(components).join(' '),
    Architectures: 'amd64',
  };
  const options = Object.entries(fields).flatMap(([name, value]) => ['-o', `APT::FTPArchive::Release::${name}=${value}`]);
  const inRelease = path.join(root, 'dists', suite, 'InRelease');
  // a Release that lists its own older self would be refused
  const release = ftparchive(root, [
    ...options,
    '-o',
    'APT::FTPArchive::Release::Patterns::=*Packages',
    'release',
    `dists/${suite}`,
  ]);
  writeFileSync(inRelease, key.clearsign(release));
}

function ftparchive(cwd: string, args: readonly string[]): string {
  return execFileSync('apt-ftparchive', ['-q', ...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
