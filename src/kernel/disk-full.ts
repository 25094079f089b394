import { exitCodes, UserError } from './errors.ts';

/** What programs print when there is no room: most of them, apt before it fetches, tar at half a block. */
const noRoom = /no space left on device|disk quota exceeded|don't have enough free space|wrote only \d+ of \d+ bytes/i;

/** Whether an error, or what a program printed before it failed, says that the disk is full. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) return true;
  return error instanceof UserError && error.details.some(saysDiskFull);
}

/** Whether a line that a program printed says so. */
export function saysDiskFull(line: string): boolean {
  return noRoom.test(line);
}

/** A full disk as what it is: this machine lacks something (exit 4). `doing` says at what. */
export function diskFull(error: unknown, doing: string, details: readonly string[] = []): UserError {
  const said = error instanceof UserError ? error.details : error instanceof Error ? [error.message] : [];
  return new UserError(`the disk is full (${doing})`, {
    hint: 'free some space, or name another folder or another cache (--cache); the unfinished files are removed',
    exitCode: exitCodes.machineLacks,
    details: [...said, ...details],
    cause: error,
  });
}
