import { existsSync, readFileSync } from 'node:fs';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import type { OwnerTable } from './owners.ts';
import { randomText, secretFile } from './secrets.ts';
import { readCredential } from './site.ts';

/** An entry the directory must hold before any service can log in. */
export interface DirectoryAccount {
  readonly kind: 'service' | 'person';
  readonly name: string;
  readonly password: string;
  readonly memberOf: readonly string[];
  /** Only made when missing, never changed: the person may have chosen another password since. */
  readonly once: boolean;
}

/** File the directory's driver reads at its bootstrap; in memory only. */
export const directoryAccountsFile = `${appliancePaths.run}/directory-accounts.json`;

/**
 * Hands the services' passwords and the first administrator to the driver that offers service accounts.
 * Without a credential the administrator's first password is made here and shown on the console alone.
 */
export function writeDirectoryAccounts(
  catalogue: ApplianceCatalogue,
  credentials: string | undefined,
  owners: OwnerTable,
  tell: (text: string) => void,
): void {
  const directory = catalogue.components.find(({ driver }) => driver?.offers.includes('service-account'));
  if (directory?.driver === undefined) return;
  const accounts = [...catalogue.components.flatMap(serviceAccounts), firstAdministrator(catalogue, credentials, tell)];
  writeFileAtomically(directoryAccountsFile, JSON.stringify(accounts), 0o400, { uid: owners.uid(directory.driver.as), gid: 0 });
}

function serviceAccounts(component: ApplianceCatalogue['components'][number]): DirectoryAccount[] {
  return Object.entries(component.secrets).flatMap(([name, secret]): DirectoryAccount[] => {
    const account = secret.serviceAccount ?? secret.userAccount;
    if (account === undefined) return [];
    const password = readFileSync(secretFile(component.name, name), 'utf8');
    return [
      {
        kind: secret.serviceAccount === undefined ? 'person' : 'service',
        name: account,
        password,
        memberOf: secret.memberOf,
        once: false,
      },
    ];
  });
}

function firstAdministrator(
  { installed }: ApplianceCatalogue,
  credentials: string | undefined,
  tell: (text: string) => void,
): DirectoryAccount {
  const given = readCredential(credentials, 'devserver.admin-password');
  const password = given ?? initialPassword(installed === true, tell);
  return { kind: 'person', name: 'admin', password, memberOf: ['admins', 'creators'], once: true };
}

/**
 * Kept for root, so that the second boot hands on the same one; shown once, when it is made. Not where the console may be a log
 * that others read.
 */
function initialPassword(isInstalled: boolean, tell: (text: string) => void): string {
  const file = `${appliancePaths.system}/initial-admin-password`;
  if (!existsSync(file)) {
    writeFileAtomically(file, randomText(16), 0o600);
    // restored data brings its own administrator
    if (existsSync(`${appliancePaths.restore}/record.json`)) return readFileSync(file, 'utf8');
    if (isInstalled) tell(`devserver: the first login is admin; what admits it is in ${file}, for root`);
    else tell(`devserver: first login is admin with the password ${readFileSync(file, 'utf8')} - change it at /password`);
  }
  return readFileSync(file, 'utf8');
}
