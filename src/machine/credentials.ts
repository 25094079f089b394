import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Secret } from '../kernel/secret.ts';
import { writeOwn } from './files.ts';
import type { Instance, MachinePaths } from './instance.ts';

/** A systemd credential: a name the guest asks for and the file (0600) that holds it. */
export interface Credential {
  readonly name: string;
  readonly file: string;
}

/** Settings that are the machine's own, not the instance's. */
interface OwnValues {
  readonly url: string;
  readonly disasterRecipient: string;
  readonly restoreKey?: Secret | undefined;
}

/**
 * Writes the first-boot settings as credential files and lists them (systemd.system-credentials(7)).
 * They reach the guest by path alone, so no command line ever holds one.
 */
export async function writeCredentials(
  instance: Instance,
  paths: MachinePaths,
  { url, disasterRecipient, restoreKey }: OwnValues,
): Promise<readonly Credential[]> {
  const publicKey = (await readFile(`${paths.sshKey}.pub`, 'utf8')).trim();
  const values: Record<string, string> = {
    'devserver.hostname': instance.hostname,
    'devserver.url': url,
    'devserver.admin-password': (await readFile(paths.adminPassword, 'utf8')).trim(),
    'devserver.disaster-recipient': disasterRecipient,
    ...(restoreKey === undefined ? {} : { [restoreKeyName]: restoreKey.reveal() }),
    'ssh.authorized_keys.root': `${[publicKey, ...(instance.authorizedKeys ?? [])].join('\n')}\n`,
    ...(instance.timezone === undefined ? {} : { 'devserver.timezone': instance.timezone }),
    ...(instance.authorities === undefined ? {} : { 'devserver.authorities': JSON.stringify(instance.authorities) }),
  };
  for (const stale of await readdir(paths.credentials)) {
    if (!(stale in values)) await rm(path.join(paths.credentials, stale));
  }
  return Object.entries(values).map(([name, value]) => {
    const file = path.join(paths.credentials, name);
    writeOwn(file, value);
    return { name, file };
  });
}

const restoreKeyName = 'devserver.restore-key';

/** Takes the key of a restore away again. */
export function dropRestoreKey({ credentials }: Pick<MachinePaths, 'credentials'>): Promise<void> {
  return rm(path.join(credentials, restoreKeyName), { force: true });
}

/** systemd-nspawn's arguments for credentials; everything behind the first colon is the path. */
export function nspawnCredentials(credentials: readonly Credential[]): string[] {
  return credentials.map(({ name, file }) => `--load-credential=${name}:${file}`);
}

/** QEMU's arguments for credentials; the guest's systemd reads them from the firmware device. */
export function qemuCredentials(credentials: readonly Credential[]): string[] {
  return credentials.flatMap(({ name, file }) => ['-fw_cfg', `name=opt/io.systemd.credentials/${name},file=${qemuValue(file)}`]);
}

/** A value inside one of QEMU's comma lists: a comma is doubled. */
export function qemuValue(value: string): string {
  return value.replaceAll(',', ',,');
}
