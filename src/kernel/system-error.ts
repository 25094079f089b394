import { exitCodes, UserError } from './errors.ts';

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EPERM: 'that is not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EROFS: 'the file system is read-only',
  ELOOP: 'its links run in a circle',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
  EIO: 'the disk can not be read or written there',
};

/** What the operating system refused about a path, as an error for the user; undefined for every other error. */
export function refusedPath(error: unknown): UserError | undefined {
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const reason = code === undefined ? undefined : reasons[code];
  if (!(error instanceof Error) || reason === undefined || typeof path !== 'string') return undefined;
  return new UserError(`${path}: ${reason} (${syscall ?? code})`, {
    exitCode: exitCodes.failedUndone,
    hint: 'look at what is there, and who may use it: ls -ld',
    cause: error,
  });
}
