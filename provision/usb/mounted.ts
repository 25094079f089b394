import { mkdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { UserError } from '../../src/kernel/errors.ts';
import type { System } from '../../src/kernel/system.ts';
import type { BackupDisk } from './find.ts';

const place = path.join(appliancePaths.run, 'usb');

/** What every mount of a strange disk has: nothing on it is run, nobody gains rights by it, no device of it opens. */
const always = ['nosuid', 'nodev', 'noexec', 'noatime'];
/** vfat and exfat know no owners and modes. */
const options = { vfat: ['umask=0077', 'utf8=1'], exfat: ['umask=0077'], ext4: [] } as const;

/**
 * Does something with a disk mounted, and has everything on it and the disk unmounted when this ends, however it does.
 * @throws UserError when it can't be mounted, or not be unmounted: then it must not be unplugged.
 */
export async function withMounted<T>(
  { device, fileSystem, isReadOnly }: BackupDisk,
  system: System,
  work: (at: string) => Promise<T>,
  to: 'read' | 'write' = 'write',
): Promise<T> {
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const how = [
    ...always,
    ...(to === 'read' ? ['ro'] : []),
    // its journal can't be put in order where nothing can be written
    ...(isReadOnly && fileSystem === 'ext4' ? ['norecovery'] : []),
    ...options[fileSystem],
  ].join(',');
  await system.run({ file: 'mount', args: ['-t', fileSystem, '-o', how, '--', device, place] }).catch((error: unknown) => {
    throw new UserError(`${device} can't be mounted`, {
      hint: `fsck -n ${device} says whether it is damaged`,
      cause: error,
      details: said(error),
    });
  });
  let failure: { readonly error: unknown } | undefined;
  let value: T | undefined;
  try {
    value = await work(place);
  } catch (error) {
    failure = { error };
  }
  try {
    await system.run({ file: 'umount', args: ['--', place] });
  } catch (error) {
    // a disk that was pulled is let go of all the same
    await system.run({ file: 'umount', args: ['--lazy', '--', place] }, { accept: 'any' });
    failure ??= {
      error: new UserError(`${device} could not be unmounted: do not unplug it yet`, { cause: error, details: said(error) }),
    };
  }
  rmdirSync(place);
  if (failure !== undefined) throw failure.error;
  return value as T;
}

/** Unmounts what a run that was killed has left mounted; to be called when no other can be at it. */
export async function unmountLeft(system: System): Promise<void> {
  const { exitCode } = await system.run({ file: 'mountpoint', args: ['-q', '--', place] }, { accept: 'any' });
  if (exitCode === 0) await system.run({ file: 'umount', args: ['--', place] });
}

function said(error: unknown): readonly string[] {
  return error instanceof UserError ? error.details : [];
}
