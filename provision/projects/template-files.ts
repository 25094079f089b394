import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, type Stats } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../src/kernel/errors.ts';

/** A file of a template, byte for byte as it lies there. */
export interface TemplateFile {
  /** Below the folder, with slashes. */
  readonly path: string;
  /** On this machine, for messages. */
  readonly file: string;
  readonly bytes: Buffer;
  readonly executable: boolean;
}

/**
 * Every file below a folder, in order; none where there is no folder. Links are not followed: what they lead to would come
 * into a repository, whatever it is. @throws UserError for a link, a pipe or the like, and for what can't be read.
 */
export function templateFiles(folder: string): TemplateFile[] {
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  requireFolder(folder);
  const names = pathsBelow(folder, '').sort();
  return names.map((name) => ({ path: name, file: path.join(folder, name), ...readPlainFile(path.join(folder, name)) }));
}

/** @throws UserError when something else, such as a link, is in a folder's place. */
export function requireFolder(folder: string): void {
  const seen = lstatSync(folder);
  if (!seen.isDirectory()) throw refusal(folder, seen);
}

/** The bytes of one file that is no link, and whether it may be executed. @throws UserError */
export function readPlainFile(file: string): Pick<TemplateFile, 'bytes' | 'executable'> {
  const before = lstatSync(file);
  if (!before.isFile()) throw refusal(file, before);
  try {
    // whoever exchanges it for a link or a pipe in between gains nothing and holds nobody up
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const seen = fstatSync(descriptor);
      if (!seen.isFile()) throw refusal(file, seen);
      return { bytes: readFileSync(descriptor), executable: (seen.mode & 0o111) !== 0 };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw error instanceof UserError ? error : unreadable(file, error);
  }
}

function pathsBelow(folder: string, below: string): string[] {
  const entries = readdirOf(path.join(folder, below));
  return entries.flatMap((entry) => {
    const here = path.posix.join(below, entry.name);
    return entry.isDirectory() ? pathsBelow(folder, here) : [here];
  });
}

function readdirOf(folder: string): ReturnType<typeof entriesOf> {
  try {
    return entriesOf(folder);
  } catch (error) {
    throw unreadable(folder, error);
  }
}

const entriesOf = (folder: string) => readdirSync(folder, { withFileTypes: true, encoding: 'utf8' });

function refusal(file: string, seen: Stats): UserError {
  const what = seen.isSymbolicLink() ? 'is a link' : 'is neither a file nor a folder';
  return new UserError(`${file} ${what}`, { hint: 'a template holds files and folders alone: put there what it should hold' });
}

function unreadable(file: string, error: unknown): UserError {
  const why = error instanceof Error ? error.message : String(error);
  return new UserError(`${file} can't be read: ${why}`, { hint: 'the account devserverd must be able to read templates' });
}
