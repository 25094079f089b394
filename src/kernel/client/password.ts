import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { exitCodes, UserError } from '../errors.ts';
import { Secret } from '../secret.ts';

/** Bytes of the longest password; more is another file than was meant. */
const most = 4096;

/** The password in a file or a pipe, or in standard input for `-`; a line break at the end is none of it. @throws UserError */
export function readPassword(file: string): Secret {
  const password = textOf(file).replace(/\r?\n$/, '');
  if (password === '') throw refused(`${file} is empty`, 'write the password into it');
  return new Secret(password);
}

function textOf(file: string): string {
  try {
    if (file === '-') return beginningOf(file, 0);
    const about = statSync(file);
    // a device may give without end
    if (!about.isFile() && !about.isFIFO()) throw refused(`${file} is not a file`, 'name a file that holds the password alone');
    const descriptor = openSync(file, 'r');
    try {
      return beginningOf(file, descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw refused(`${file} can't be read: ${(error as Error).message}`);
  }
}

/** All that a descriptor gives, unless it is too much. */
function beginningOf(file: string, descriptor: number): string {
  const bytes = Buffer.alloc(most + 1);
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read)
    read = readSync(descriptor, bytes, length, bytes.length - length, null);
  if (length > most) throw refused(`${file} holds more than ${most} bytes`, 'name a file that holds the password alone');
  return bytes.toString('utf8', 0, length);
}

function refused(message: string, hint?: string): UserError {
  return new UserError(`--password-file ${message}`, { exitCode: exitCodes.usage, ...(hint === undefined ? {} : { hint }) });
}
