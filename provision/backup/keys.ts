import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import { recipientPattern } from '../../src/kernel/backup/envelope.ts';
import type { System } from '../../src/kernel/system.ts';

/** The appliance's own key: it opens its own backups without anybody. */
export const applianceIdentity = path.join(appliancePaths.secrets, 'backup/appliance');

/** The public half of the key for when the machine is gone; its secret half is not in the appliance. */
export const disasterFile = path.join(appliancePaths.secrets, 'backup/disaster');

/** To whom backups are encrypted beside the appliance itself; undefined: nobody yet. */
export function disasterRecipient(file = disasterFile): string | undefined {
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  return recipientPattern.test(text) ? text : undefined;
}

/** Backups from now on are encrypted to this key; earlier ones keep theirs. @throws Error for what is none. */
export function keepDisasterRecipient(recipient: string, file = disasterFile): void {
  if (!recipientPattern.test(recipient)) throw new Error('it is no public key of age');
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileAtomically(file, `${recipient}\n`, 0o600);
}

/** Makes a disaster key: to be shown first and kept then, so that no backup is ever encrypted to one that nobody saw. */
export async function makeDisasterKey(system: System): Promise<{ secret: string; recipient: string }> {
  const { stdout } = await system.run({ file: 'age-keygen', args: [] });
  const secret = /^AGE-SECRET-KEY-1[0-9A-Z]+$/m.exec(stdout)?.[0];
  const recipient = publicHalf(stdout);
  if (secret === undefined || recipient === undefined) throw new Error('age-keygen made no key');
  return { secret, recipient };
}

/** A file with the key that was given, or the appliance's own; without either those backups alone are opened that are not encrypted. */
export function keyOr(given: string | undefined): string | undefined {
  return given ?? (existsSync(applianceIdentity) ? applianceIdentity : undefined);
}

/** Its public half; the key is made when there is none. */
export async function applianceKey(system: System): Promise<string> {
  if (!existsSync(applianceIdentity)) {
    const { stdout } = await system.run({ file: 'age-keygen', args: [] });
    mkdirSync(path.dirname(applianceIdentity), { recursive: true, mode: 0o700 });
    writeFileAtomically(applianceIdentity, stdout.endsWith('\n') ? stdout : `${stdout}\n`, 0o600);
  }
  const found = publicHalf(readFileSync(applianceIdentity, 'utf8'));
  if (found === undefined) throw new Error(`${applianceIdentity} names no public key`);
  return found;
}

/** As age-keygen notes it above the secret half. */
function publicHalf(text: string): string | undefined {
  return /^# public key: (age1[0-9a-z]+)$/m.exec(text)?.[1];
}
