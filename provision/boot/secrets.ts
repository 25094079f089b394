import { randomInt } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { type ApplianceCatalogue, type ApplianceComponent, appliancePaths } from '../../src/kernel/appliance.ts';
import { syncDirectory, writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import type { System } from '../../src/kernel/system.ts';
import { makeAuthority, makeCertificate } from './certificates.ts';
import type { OwnerTable } from './owners.ts';
import type { Site } from './site.ts';

type SecretData = ApplianceComponent['secrets'][string];

/** File of a component's secret; certificates have .key and .crt behind it. */
export function secretFile(component: string, name: string): string {
  return `${appliancePaths.secrets}/${component}/${name}`;
}

/** Makes every secret that is not there yet; what exists is never changed, but certificates are renewed. */
export async function ensureSecrets(
  catalogue: ApplianceCatalogue,
  site: Site,
  owners: OwnerTable,
  system: System,
): Promise<void> {
  mkdirSync(appliancePaths.secrets, { recursive: true, mode: 0o711 });
  for (const component of catalogue.components) {
    const entries = Object.entries(component.secrets);
    if (entries.length === 0) continue;
    const folder = `${appliancePaths.secrets}/${component.name}`;
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o711);
    for (const [name, secret] of authoritiesFirst(entries)) await ensureSecret(component, name, secret, { site, owners, system });
  }
}

interface Context {
  readonly site: Site;
  readonly owners: OwnerTable;
  readonly system: System;
}

async function ensureSecret(component: ApplianceComponent, name: string, secret: SecretData, context: Context): Promise<void> {
  const file = secretFile(component.name, name);
  const gid = context.owners.gid(secret.group);
  if (secret.form === 'random') {
    if (!existsSync(file)) writeFileAtomically(file, randomText(secret.length), 0o640, { uid: 0, gid });
  } else if (secret.form === 'ssh-key') {
    if (!existsSync(file)) await makeSshKey(file, context.system);
  } else if (secret.form === 'x509-ca') {
    if (!existsSync(`${file}.crt`))
      await makeAuthority(file, `CA of ${context.site.hostname}`, secret.days ?? 3650, context.system);
  } else {
    const issuer = secretFile(component.name, secret.issuer ?? 'ca');
    await makeCertificate(
      {
        file,
        issuer,
        names: [context.site.hostname, context.site.urlHost, 'localhost', '127.0.0.1'],
        days: secret.days ?? 397,
        renewBefore: secret.renewBefore ?? 30,
      },
      context.system,
    );
    chownSync(`${file}.key`, 0, gid);
    chmodSync(`${file}.key`, 0o640);
  }
}

/** Letters and digits, at least one of each, from the kernel's random numbers. */
export function randomText(length: number): string {
  const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
  for (;;) {
    const text = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
    if (/[0-9]/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text)) return text;
  }
}

async function makeSshKey(file: string, system: System): Promise<void> {
  const beside = `${file}.new`;
  for (const leftover of [beside, `${beside}.pub`]) rmSync(leftover, { force: true });
  await system.run({ file: 'ssh-keygen', args: ['-q', '-t', 'ed25519', '-N', '', '-C', 'devserver', '-f', beside] });
  renameSync(`${beside}.pub`, `${file}.pub`);
  renameSync(beside, file);
  syncDirectory(appliancePaths.secrets);
}

function authoritiesFirst(entries: readonly [string, SecretData][]): [string, SecretData][] {
  return [...entries].sort(([, a], [, b]) => Number(b.form === 'x509-ca') - Number(a.form === 'x509-ca'));
}
