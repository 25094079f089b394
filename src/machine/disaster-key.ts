import { recipientPattern } from '../kernel/backup/envelope.ts';
import type { Report } from '../kernel/report.ts';
import { readIfThere, writeOwn } from './files.ts';

export interface DisasterKeyFiles {
  /** The secret half: the only copy there is, until its owner moves it away. */
  readonly secret: string;
  /** The public half, which the machine gets. */
  readonly recipient: string;
}

/**
 * The public half of the key that opens a server's backups when the server itself is gone. Made at the first start, when there
 * is none: the secret half stays in a file for its owner to move away, and never gets to the machine.
 */
export async function keepDisasterKey({ secret, recipient }: DisasterKeyFiles, report: Report): Promise<string> {
  const kept = (await readIfThere(recipient))?.trim() ?? '';
  if (recipientPattern.test(kept)) return kept;
  const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
  const identity = await secretIn(secret, generateX25519Identity);
  const made = await identityToRecipient(identity);
  writeOwn(recipient, `${made}\n`);
  report({
    type: 'warning',
    text: `${secret} opens the backups of this server when the server is gone: move it to a safe place, it is the only copy`,
  });
  return made;
}

/** The key that is there, or a new one. */
async function secretIn(file: string, make: () => Promise<string>): Promise<string> {
  const found = /^AGE-SECRET-KEY-1\S+$/m.exec((await readIfThere(file)) ?? '')?.[0];
  if (found !== undefined) return found;
  const identity = await make();
  writeOwn(file, `# opens the backups of this server: keep it where the server is not\n${identity}\n`);
  return identity;
}
