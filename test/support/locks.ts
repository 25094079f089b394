import { createHash } from 'node:crypto';
import type { Lock, LockedPackage } from '../../src/lock/lock-file.ts';

/** A lock of nothing. */
export const emptyLock: Lock = {
  ...{ version: 1, made: '2026-01-02T03:04:05.678Z', base: 'b', wanted: '0'.repeat(64) },
  ...{
    sources: [{ url: 'http://archive.invalid/debian', suite: 's' }],
    keys: {},
    archives: { main: 'http://archive.invalid/debian' },
    packages: [],
    tools: [],
    artifacts: [],
  },
};

/** A package that nobody has; its digest follows from name and version. */
export function lockedPackage(name: string, version: string, content = `${name} ${version}`): LockedPackage {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const path = `pool/${name}_${version}_all.deb`;
  return { name, version, architecture: 'all', sha256, bytes: content.length, from: 'main', path };
}
