import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import type { Secrets } from './backends.ts';

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const plainName = /^[a-z][a-z0-9-]*\.[a-z]+$/;

/** Projects' random secrets as files of `folder`, readable by the daemon alone (and by systemd, for a unit's credentials). */
export function openSecrets(folder: string): Secrets {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fileOf = (name: string): string => {
    if (!plainName.test(name)) throw new Error(`${JSON.stringify(name)} is no secret's name`);
    return path.join(folder, name);
  };
  const read = (name: string): string | undefined => (existsSync(fileOf(name)) ? readFileSync(fileOf(name), 'utf8') : undefined);
  return {
    names: () => readdirSync(folder).filter((name) => plainName.test(name)),
    read,
    ensure: (name) => {
      const present = read(name);
      if (present !== undefined) return present;
      const fresh = randomLetters(32);
      writeFileAtomically(fileOf(name), fresh, 0o600);
      return fresh;
    },
    remove: (name) => rmSync(fileOf(name), { force: true }),
  };
}

/** So many random letters and digits. */
export function randomLetters(length: number): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
}
