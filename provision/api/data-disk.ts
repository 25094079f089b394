import { isDiskFull } from '../../src/kernel/disk-full.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';

/** A data disk that takes nothing more, as what it is; undefined for every other error. */
export function dataDiskTrouble(error: unknown): UserError | undefined {
  const exitCode = exitCodes.machineLacks;
  if (isDiskFull(error))
    return new UserError('the data disk is full', {
      exitCode,
      hint: 'df /srv; then delete something, or give the machine a larger data disk',
    });
  if ((error as NodeJS.ErrnoException | undefined)?.code !== 'EROFS') return undefined;
  return new UserError('the data disk can not be written: it is read-only', {
    exitCode,
    hint: 'the kernel does that when a disk fails: journalctl -k -p err says why',
  });
}
