import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { DriverError } from '../../../src/kernel/driver-kit.ts';
import type { System } from '../../../src/kernel/system.ts';

const configuration = '/etc/devserver/slapd-config.ldif';
const data = '/srv/system/ldap';
/** Backups have their copies here. */
const place = z.string().regex(/^\/srv\/\.backup(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9.-]+)+$/);
const dumpArgs = z.strictObject({ root: z.literal('directory'), place, into: place });
const loadArgs = z.strictObject({ root: z.literal('directory'), from: place, into: place });
const file = 'directory.ldif';

/** dump: the whole tree as LDIF, out of a copy of the database that nothing else has open. */
export async function dumpDirectory(system: System, args: unknown): Promise<void> {
  const { place: copy, into } = dumpArgs.parse(args);
  await withDatabase(system, copy, (made) =>
    system.run({ file: 'slapcat', args: ['-n', '1', '-F', made, '-o', 'ldif_wrap=no', '-l', path.join(into, file)] }),
  );
}

/**
 * load: a database of what was dumped, in an empty folder. Its entries are data: LDIF could also name files of this machine
 * whose content an attribute gets.
 */
export async function loadDirectory(system: System, args: unknown): Promise<void> {
  const { from, into } = loadArgs.parse(args);
  const ldif = path.join(from, file);
  if (namesFiles(readFileSync(ldif, 'utf8')))
    throw new DriverError('an attribute in its directory is to be read from a file', 'no release writes such a backup');
  await withDatabase(system, into, (made) => system.run({ file: 'slapadd', args: ['-n', '1', '-F', made, '-l', ldif] }));
}

/** `attribute:< file:///…` and `include: file:///…`, also where the line goes on in the next. */
export function namesFiles(ldif: string): boolean {
  return /^(?:[^:\n]*:<|include:)/im.test(ldif.replaceAll('\r\n', '\n').replaceAll('\n ', ''));
}

/** The server's own configuration is used, with another folder in place of its data. */
async function withDatabase(system: System, folder: string, work: (made: string) => Promise<unknown>): Promise<void> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'directory-'));
  try {
    const text = readFileSync(configuration, 'utf8').replace(`\nolcDbDirectory: ${data}\n`, `\nolcDbDirectory: ${folder}\n`);
    if (!text.includes(folder)) throw new Error(`${configuration} does not say where the data is`);
    const [ldif, made] = [path.join(scratch, 'config.ldif'), path.join(scratch, 'slapd.d')];
    writeFileSync(ldif, text);
    mkdirSync(made);
    await system.run({ file: 'slapadd', args: ['-n', '0', '-F', made, '-l', ldif] });
    await work(made);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
