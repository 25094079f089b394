import { type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { refusedPath } from '../kernel/system-error.ts';

/**
 * That DIR holds a server, whatever its file says: a running machine can be looked after while it is edited.
 * @throws UserError (exit 2) saying what is there instead.
 */
export function requireServer(dir: string): void {
  const file = path.join(dir, 'devserver.yaml');
  if (lookAt(dir)?.isDirectory() === false) throw usage(`${dir} is not a folder`, 'name the folder of a server');
  const about = lookAt(file);
  if (about === undefined) throw usage(`there is no ${file}`, `create-devserver ${dir} makes one`);
  if (!about.isFile()) throw usage(`${file} is not a file`, 'move away what is there');
}

/** That a server can be made in DIR. @throws UserError (exit 2) when it is no folder, or its devserver.yaml no file. */
export function requireFolder(dir: string): void {
  if (lookAt(dir)?.isDirectory() === false) throw usage(`${dir} is not a folder`, anotherFolder);
  const file = path.join(dir, 'devserver.yaml');
  if (lookAt(file)?.isFile() === false) throw usage(`${file} is not a file`, anotherFolder);
}

/** What the system refuses about a path that the user named is a wrong command line (exit 2): nothing was begun. */
export function asNamed<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const refused = refusedPath(error);
    if (refused === undefined || code === undefined || !ofTheName.has(code)) throw error;
    throw usage(refused.message, ofPermission.has(code) ? refused.hint : anotherFolder, error);
  }
}

const anotherFolder = 'name another folder';
const ofPermission: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);
const ofTheName: ReadonlySet<string> = new Set([...ofPermission, 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

function lookAt(file: string): Stats | undefined {
  return asNamed(() => statSync(file, { throwIfNoEntry: false }));
}

function usage(message: string, hint: string | undefined, cause?: unknown): UserError {
  return new UserError(message, { exitCode: exitCodes.usage, ...(hint === undefined ? {} : { hint }), cause });
}
