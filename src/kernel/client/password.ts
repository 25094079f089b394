import { readFileSync } from 'node:fs';
import { exitCodes, UserError } from '../errors.ts';
import { Secret } from '../secret.ts';

/** The password in a file, or in standard input for `-`; a line break at the end is none of it. @throws UserError */
export function readPassword(file: string): Secret {
  try {
    return new Secret(readFileSync(file === '-' ? 0 : file, 'utf8').replace(/\r?\n$/, ''));
  } catch (error) {
    throw new UserError(`--password-file ${file} can't be read: ${(error as Error).message}`, { exitCode: exitCodes.usage });
  }
}
