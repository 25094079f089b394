import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { syncDirectory, writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import { type AuthorityCertificate, type AuthorityFile, authorityName, readAuthorityFile } from '../../src/kernel/authority.ts';

/** A site's own authority as it is kept on the data disk. */
export interface KeptAuthority extends AuthorityFile {
  readonly name: string;
  readonly file: string;
}

/** All that are kept, by name. Files that hold no authority, after a restore for instance, come with their faults. */
export function keptAuthorities(): KeptAuthority[] {
  if (!existsSync(appliancePaths.authorities)) return [];
  return readdirSync(appliancePaths.authorities)
    .filter((entry) => entry.endsWith('.crt') && authorityName.test(entry.slice(0, -4)))
    .sort()
    .map((entry) => {
      const file = path.join(appliancePaths.authorities, entry);
      return { name: entry.slice(0, -4), file, ...readKept(file) };
    });
}

/** The one of this name. */
export function keptAuthority(name: string): KeptAuthority | undefined {
  return keptAuthorities().find((kept) => kept.name === name);
}

/** Keeps an authority, in place of one of the same name. */
export function keepAuthority(name: string, certificates: readonly AuthorityCertificate[]): void {
  mkdirSync(appliancePaths.authorities, { recursive: true, mode: 0o755 });
  writeFileAtomically(fileOf(name), authorityText(certificates), 0o644);
}

/** Forgets an authority. */
export function forgetAuthority(name: string): void {
  rmSync(fileOf(name), { force: true });
  syncDirectory(appliancePaths.authorities);
}

/** What a file of these certificates holds. */
export function authorityText(certificates: readonly AuthorityCertificate[]): string {
  return certificates.map(({ pem }) => pem).join('');
}

function fileOf(name: string): string {
  if (!authorityName.test(name)) throw new Error(`${name} is no name of an authority`);
  return path.join(appliancePaths.authorities, `${name}.crt`);
}

function readKept(file: string): AuthorityFile {
  try {
    return readAuthorityFile(readFileSync(file, 'utf8'));
  } catch (error) {
    return { certificates: [], faults: [`it can't be read: ${error instanceof Error ? error.message : String(error)}`] };
  }
}
