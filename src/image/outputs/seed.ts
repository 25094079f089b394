import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { System } from '../../kernel/system.ts';
import { sourceDateEpoch } from '../context.ts';
import { packInstaller } from '../installer/pack.ts';
import type { Installer } from '../installer/parts.ts';
import { toolCommand } from '../tools.ts';

/** What a seed is made of, but for the artifacts and the keys of package sources, which follow from the plan. */
export interface SeedRequest {
  readonly installer: Omit<Installer, 'artifacts' | 'keys'>;
  /** Public keys that may log in as the cloud image's own user. */
  readonly authorizedKeys: readonly string[];
  readonly timezone?: string | undefined;
}

/**
 * Takes the installer from where NoCloud has its seed, a folder or the disk with this label, and runs it. It stays where it can
 * be run again until it is through.
 */
const install = `set -eu
umask 077
work=/var/lib/devserver-seed
seed=/var/lib/cloud/seed/nocloud
mkdir -p "$work"
if [ ! -e "$seed/installer.tar.gz" ]; then
  seed=/run/devserver-seed
  mkdir -p "$seed"
  mount -o ro LABEL=CIDATA "$seed"
fi
tar -x -z -f "$seed/installer.tar.gz" -C "$work"
[ "$seed" != /run/devserver-seed ] || umount "$seed"
sh "$work/install.sh" || { echo "devserver: to go on: sudo sh $work/install.sh" >&2; exit 1; }
rm -rf "$work"
`;

/**
 * A seed for cloud-init's NoCloud (its documentation, "Datasources"): a disk whose label is CIDATA, with what makes a stock cloud
 * image of the base the server.
 */
export async function writeSeed(
  out: string,
  work: string,
  { seed, installer }: { readonly seed: SeedRequest; readonly installer: Installer },
  { tools, system }: { readonly tools: string; readonly system: System },
): Promise<void> {
  const folder = path.join(work, 'seed');
  await mkdir(folder);
  await packInstaller(path.join(folder, 'installer.tar.gz'), work, installer, { system, isWhole: true });
  const { hostname } = installer.plan;
  const user = {
    hostname,
    ...(seed.timezone === undefined ? {} : { timezone: seed.timezone }),
    ...(seed.authorizedKeys.length === 0 ? {} : { ssh_authorized_keys: seed.authorizedKeys }),
    runcmd: [['sh', '-c', install]],
  };
  await writeFile(path.join(folder, 'user-data'), `#cloud-config\n${stringify(user, { lineWidth: 0 })}`);
  await writeFile(
    path.join(folder, 'meta-data'),
    stringify({ 'instance-id': `devserver-${hostname}`, 'local-hostname': hostname }),
  );
  const date = `${new Date(sourceDateEpoch * 1000).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}00`;
  const same = [`--modification-date=${date}`, '--set_all_file_dates', 'set_to_mtime', '-uid', '0', '-gid', '0'];
  const args = [
    '-as',
    'mkisofs',
    '-quiet',
    '-volid',
    'CIDATA',
    '-rock',
    '-joliet',
    ...same,
    '-output',
    path.resolve(out),
    folder,
  ];
  await system.run(toolCommand(tools, 'xorriso', args, { env: { SOURCE_DATE_EPOCH: String(sourceDateEpoch) } }));
  await rm(folder, { recursive: true });
}
