import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { secretKeyIn } from '../../src/kernel/backup/envelope.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { requireFile } from './backup-words.ts';

/**
 * Does something with the file of a key: the one that is named, standard input for `-`, or what somebody types in. What was not
 * in a file is in one of root's alone meanwhile, in memory.
 */
export async function withKeyFile<T>(
  given: string | undefined,
  ask: (() => Promise<string>) | undefined,
  work: (file: string | undefined) => Promise<T>,
  run: string = appliancePaths.run,
): Promise<T> {
  if (given !== undefined && given !== '-') {
    requireFile(given);
    return work(given);
  }
  const text = given === '-' ? readFileSync(0, 'utf8') : ((await ask?.()) ?? '');
  if (given === '-' && text.trim() === '')
    throw new UserError('--key -: standard input is empty', { exitCode: exitCodes.usage, hint: 'give it the line of the key' });
  if (text.trim() === '') return work(undefined);
  const key = secretKeyIn(text.trim());
  if (key === undefined)
    throw new UserError('that is no key', {
      exitCode: exitCodes.usage,
      hint: 'it is a line of 74 characters that begins with AGE-SECRET-KEY-1',
    });
  const folder = mkdtempSync(path.join(run, 'key-'));
  try {
    const file = path.join(folder, 'key');
    writeFileSync(file, `${key}\n`, { mode: 0o600 });
    return await work(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
