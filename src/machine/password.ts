import { randomInt } from 'node:crypto';
import { Secret } from '../kernel/secret.ts';
import { readIfThere, writeOwn } from './files.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * A new password: 20 letters and digits, at least one digit, from the kernel's randomness.
 * The form is what the strictest component takes (Archiva: at most 24 characters, one digit).
 */
export function makePassword(draw: (below: number) => number = (below) => randomInt(below)): Secret {
  for (;;) {
    const password = Array.from({ length: 20 }, () => alphabet[draw(alphabet.length)]).join('');
    if (/[0-9]/.test(password) && /[A-Za-z]/.test(password)) return new Secret(password);
  }
}

/** Makes the admin's first password once and keeps it, mode 0600; never printed. Returns the file. */
export async function keepAdminPassword(file: string): Promise<string> {
  if ((await readIfThere(file)) === undefined) writeOwn(file, `${makePassword().reveal()}\n`);
  return file;
}
