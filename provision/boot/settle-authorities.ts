import * as z from 'zod';
import { authorityName, readAuthorityFile } from '../../src/kernel/authority.ts';
import type { System } from '../../src/kernel/system.ts';
import { authorityText, keepAuthority, keptAuthority } from '../authorities/store.ts';
import { systemPlaces, type TrustPlaces, trustKept } from '../authorities/trust.ts';
import { readCredential } from './site.ts';

/** The credential `devserver.authorities`: certificates in PEM form by name. */
const given = z.record(z.string().regex(authorityName), z.string());

/**
 * Keeps the authorities of this boot's credential, each in place of one of the same name, and makes the system trust all
 * that are kept; `kept` is told the new ones. One that is none is reported and left out, and so is a failure: a server must come up.
 */
export async function settleAuthorities(
  credentials: string | undefined,
  system: System,
  warn: (text: string) => void,
  kept: (name: string) => void,
  places: TrustPlaces = systemPlaces,
): Promise<void> {
  for (const [name, text] of Object.entries(readGiven(credentials, warn))) {
    const { certificates, faults } = readAuthorityFile(text, system.now());
    if (faults.length > 0) warn(`the authority ${name} is left out: ${faults.join('; ')}`);
    else if (authorityText(keptAuthority(name)?.certificates ?? []) !== authorityText(certificates)) {
      keepAuthority(name, certificates);
      kept(name);
    }
  }
  try {
    if (await trustKept(system, places)) console.log("the site's own authorities are trusted anew");
  } catch (error) {
    warn(`the site's own authorities are not trusted: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readGiven(credentials: string | undefined, warn: (text: string) => void): Record<string, string> {
  const text = readCredential(credentials, 'devserver.authorities');
  if (text === undefined) return {};
  try {
    return given.parse(JSON.parse(text));
  } catch {
    warn('credential devserver.authorities is no list of authorities; it is ignored');
    return {};
  }
}
