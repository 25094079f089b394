import { UserError } from '../kernel/errors.ts';
import type { SourceKeys } from '../lock/apt-sources.ts';
import type { ExtraSource } from '../plan/plan.ts';
import type { ImageContext } from './context.ts';
import { fetchText } from './fetch.ts';

/**
 * Fetches the keys of sources that have one of their own and verifies each by its fingerprint.
 * @throws UserError when gpg is missing, the key can't be fetched or it is another one.
 */
export async function fetchSourceKeys(sources: readonly ExtraSource[], context: ImageContext): Promise<SourceKeys> {
  const keys = new Map<string, string>();
  for (const { name, key } of sources) {
    if (key === undefined) continue;
    const text = await fetchText(key.url, { signal: context.signal });
    verifyIsArmoured(name, text);
    const found = await fingerprintOf(text, context);
    const wanted = key.fingerprint.replaceAll(' ', '').toUpperCase();
    // A second key beside the pinned one would be believed as well.
    if (found.length !== 1 || found[0] !== wanted) {
      throw new UserError(`the key of the package source ${name} is not the pinned one alone`, {
        hint: 'compare the fingerprint with what the publisher announces; nothing was installed',
        details: [`pinned ${wanted}`, `found  ${found.join(', ') || 'none'}`, `at     ${key.url}`],
      });
    }
    keys.set(name, text);
  }
  return keys;
}

/** Fingerprints of the primary keys in an armoured text, by `gpg --show-keys` (GnuPG's doc/DETAILS). */
async function fingerprintOf(armoured: string, { system }: ImageContext): Promise<string[]> {
  const { stdout } = await system.run({
    file: 'gpg',
    args: ['--batch', '--no-autostart', '--with-colons', '--show-keys'],
    input: armoured,
  });
  const lines = stdout.split('\n').map((line) => line.split(':'));
  return lines.flatMap((fields, index) => {
    const isPrimary = lines[index - 1]?.[0] === 'pub';
    return fields[0] === 'fpr' && isPrimary && fields[9] !== undefined ? [fields[9]] : [];
  });
}

function verifyIsArmoured(name: string, text: string): void {
  if (text.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----')) return;
  throw new UserError(`the key of the package source ${name} is not an armoured OpenPGP key`, {
    hint: 'name the address of its text form (.asc or .key)',
  });
}
