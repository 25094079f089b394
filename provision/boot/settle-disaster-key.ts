import type { System } from '../../src/kernel/system.ts';
import { disasterFile, disasterRecipient, keepDisasterRecipient, makeDisasterKey } from '../backup/keys.ts';
import { readCredential } from './site.ts';

/**
 * At the first boot: backups are encrypted to the key that this boot's credential names, or to one made here, whose secret half
 * is shown on the console once. A failure is told: a server must come up.
 */
export async function settleDisasterKey(
  credentials: string | undefined,
  system: System,
  tell: (text: string) => void,
  show: (text: string) => boolean,
  file = disasterFile,
): Promise<void> {
  if (disasterRecipient(file) !== undefined) return;
  try {
    const given = readCredential(credentials, 'devserver.disaster-recipient');
    if (given !== undefined) return keepDisasterRecipient(given, file);
    const { secret, recipient } = await makeDisasterKey(system);
    if (
      !show(`devserver: write this down, it is shown once: it opens this server's backups when the server is gone\r\n${secret}`)
    )
      return tell('there is no console to show a disaster key on: devserver backup key --new makes one');
    keepDisasterRecipient(recipient, file);
  } catch (error) {
    tell(`there is no key for when this machine is gone: ${error instanceof Error ? error.message : String(error)}`);
  }
}
