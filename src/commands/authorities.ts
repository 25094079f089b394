import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../kernel/atomic-file.ts';
import { authorityNameOf, readAuthorityFile } from '../kernel/authority.ts';
import { makeFolder } from '../kernel/folder.ts';
import type { WrongAnswer } from '../plan/wrong-answers.ts';
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
    return whyNone(file, files.slice(0, index), read(file, new Date())).map((message) => ({ flag: file, message, hint }));
  });
}

/**
 * The same of the files that devserver.yaml names. One that has expired since is taken: the machine says so and leaves it out.
 * A name that is none is told with the file's form.
 */
export function wrongAuthorityFiles(dir: string, files: readonly (string | undefined)[]): WrongAnswer[] {
  return files.flatMap((file, index) => {
    if (file === undefined || authorityNameOf(file) === undefined) return [];
    const others = files.slice(0, index).filter((other) => other !== undefined);
    return whyNone(file, others, read(path.resolve(dir, file))).map((message) => ({
      path: ['authorities', index],
      message: `${file}: ${message}`,
      hint: 'take it out, or put the certificate of an authority there, in PEM form',
    }));
  });
}

function whyNone(file: string, others: readonly string[], { faults }: Read): readonly string[] {
  const isTwice = others.some((other) => authorityNameOf(other) === authorityNameOf(file));
  return isTwice ? [`another file gives the name ${authorityNameOf(file)} too`] : faults;
}

/** Keeps the authorities in DIR/authorities, since DIR is all a server is made from. */
export function copyAuthorities(dir: string, files: readonly string[]): void {
  if (files.length > 0) makeFolder(path.join(dir, 'authorities'));
  for (const file of files) writeFileAtomically(path.join(dir, authorityCopy(file)), read(file).pem, 0o644);
}

/** The authorities devserver.yaml names, by name, for the machine; `wrongAuthorityFiles` found nothing wrong with them. */
export function readAuthorities(dir: string, files: readonly string[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [authorityNameOf(file) ?? '', read(path.resolve(dir, file)).pem]));
}

/** They as the credential that a first boot takes, by its name; none where there are none. */
export function authoritiesCredential(dir: string, files: readonly string[] | undefined): Record<string, string> {
  return files === undefined ? {} : { 'devserver.authorities': JSON.stringify(readAuthorities(dir, files)) };
}

interface Read {
  readonly pem: string;
  readonly faults: readonly string[];
}

function read(file: string, now?: Date): Read {
  const none = (why: string): Read => ({ pem: '', faults: [why] });
  try {
    const about = statSync(file, { throwIfNoEntry: false });
    // a pipe would be waited for
    if (about?.isFile() !== true) return none(about === undefined ? 'there is no such file' : 'it is not a file');
    const { certificates, faults } = readAuthorityFile(readFileSync(file, 'utf8'), now);
    return { pem: certificates.map((it) => it.pem).join(''), faults };
  } catch (error) {
    return none(`it can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
