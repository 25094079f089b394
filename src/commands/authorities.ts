import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../kernel/atomic-file.ts';
import { authorityNameOf, readAuthorityFile } from '../kernel/authority.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { WrongFlag } from '../wizard/wrong-flag.ts';

/** Where the copy of an authority's file stands in devserver.yaml. */
export function authorityCopy(file: string): string {
  return `authorities/${authorityNameOf(file)}.crt`;
}

/** Files that hold no authority, and names two of them would share; `flag` is the file alone. */
export function wrongAuthorities(files: readonly string[]): WrongFlag[] {
  const hint = 'a file in PEM form with the certificate of an authority, such as firm.crt';
  return files.flatMap((file, index) => {
    if (authorityNameOf(file) === undefined) return [{ flag: file, message: 'its name gives no name to the authority', hint }];
    const isTwice = files.slice(0, index).some((other) => authorityNameOf(other) === authorityNameOf(file));
    const faults = isTwice ? [`another file gives the name ${authorityNameOf(file)} too`] : read(file, new Date()).faults;
    return faults.map((message) => ({ flag: file, message, hint }));
  });
}

/** Keeps the authorities in DIR/authorities, since DIR is all a server is made from. */
export function copyAuthorities(dir: string, files: readonly string[]): void {
  for (const file of files) writeFileAtomically(path.join(dir, authorityCopy(file)), read(file).pem, 0o644);
}

/**
 * The authorities devserver.yaml names, by name, for the machine. One that has expired since stops no start: the machine
 * says so and leaves it out.
 * @throws UserError with every file that holds none.
 */
export function readAuthorities(dir: string, files: readonly string[]): Record<string, string> {
  const found = files.map((file) => ({ file, name: authorityNameOf(file) ?? '', ...read(path.resolve(dir, file)) }));
  const details = found.flatMap(({ file, faults }) => faults.map((fault) => `${path.join(dir, file)}: ${fault}`));
  if (details.length > 0)
    throw new UserError('authorities of devserver.yaml are not taken', {
      details,
      hint: `take them out of ${path.join(dir, 'devserver.yaml')}, or put certificates of authorities there`,
      exitCode: exitCodes.badData,
    });
  return Object.fromEntries(found.map(({ name, pem }) => [name, pem]));
}

function read(file: string, now?: Date): { readonly pem: string; readonly faults: readonly string[] } {
  try {
    const { certificates, faults } = readAuthorityFile(readFileSync(file, 'utf8'), now);
    return { pem: certificates.map((it) => it.pem).join(''), faults };
  } catch (error) {
    return { pem: '', faults: [`it can't be read: ${error instanceof Error ? error.message : String(error)}`] };
  }
}
