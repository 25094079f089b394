import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import type { System } from '../../../src/kernel/system.ts';

const configuration = '/etc/devserver/slapd-config.ldif';
const data = '/srv/system/ldap';
/** Backups have their copies here. */
const place = z.string().regex(/^\/srv\/\.backup(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9.-]+)+$/);
const dumpArgs = z.strictObject({ root: z.literal('directory'), place, into: place });

/**
 * dump: the whole tree as LDIF, out of a copy of the database that nothing else has open. The server's own configuration
 * is used, with the copy in place of the data.
 */
export async function dumpDirectory(system: System, args: unknown): Promise<void> {
  const { place: copy, into } = dumpArgs.parse(args);
  const folder = mkdtempSync(path.join(tmpdir(), 'dump-'));
  try {
    const text = readFileSync(configuration, 'utf8').replace(`\nolcDbDirectory: ${data}\n`, `\nolcDbDirectory: ${copy}\n`);
    if (!text.includes(copy)) throw new Error(`${configuration} does not say where the data is`);
    const [ldif, made] = [path.join(folder, 'config.ldif'), path.join(folder, 'slapd.d')];
    writeFileSync(ldif, text);
    mkdirSync(made);
    await system.run({ file: 'slapadd', args: ['-n', '0', '-F', made, '-l', ldif] });
    await system.run({
      file: 'slapcat',
      args: ['-n', '1', '-F', made, '-o', 'ldif_wrap=no', '-l', path.join(into, 'directory.ldif')],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
