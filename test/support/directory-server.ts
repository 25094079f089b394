import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askDriver } from '../../provision/drivers.ts';
import { type ApplianceComponent, appliancePaths } from '../../src/kernel/appliance.ts';
import { childrenOf } from '../../src/machine/process.ts';
import { type CliResult, run } from '../e2e/support/cli.ts';
import { applianceCatalogue, applianceComponent } from './appliance.ts';
import { bundledDriver } from './driver-process.ts';
import { listenAndExec } from './handed-socket.ts';
import { checkout } from './real.ts';

/** A private slapd with the appliance's own configuration, and the driver beside it as uid 710. */
export interface DirectoryServer {
  readonly ask: (verb: string, args?: unknown) => Promise<unknown>;
  /** Runs a program where the server is; as root, or as `uid`. */
  readonly inside: (argv: readonly string[], uid?: number) => Promise<CliResult>;
  readonly close: () => void;
}

/**
 * Own mounts and an own network, so that the configuration's paths and port 389 are free and untouched.
 * slapd gets what its unit gives it: uid 710 and one capability.
 */
const script = `
ip link set lo up
mount -t tmpfs tmpfs /run
mkdir "$1/srv"; mount --bind "$1/srv" /srv
mkdir -p /run/slapd/slapd.d /run/devserver /srv/system/ldap
cp "$1/accounts.json" /run/devserver/directory-accounts.json
chown -R 710:710 /run/slapd /run/devserver /srv/system/ldap
as() { setpriv --reuid 710 --regid 710 --clear-groups "$@"; }
as slapadd -n 0 -F /run/slapd/slapd.d -l "$2"
as --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service slapd -d 0 -h 'ldap://127.0.0.1:389/ ldapi://%2Frun%2Fslapd%2Fldapi' -F /run/slapd/slapd.d &
cd "$1"
as env HOME=/nonexistent perl -MIO::Socket::UNIX -MPOSIX launch.pl socket "$3" driver.mjs
`;

/** Starts it; \`accounts\` is what the boot unit would hand over. */
export async function startDirectory(accounts: readonly unknown[]): Promise<DirectoryServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'directory-'));
  chmodSync(folder, 0o777);
  writeFileSync(path.join(folder, 'accounts.json'), JSON.stringify(accounts));
  const component = applianceComponent(
    { name: 'ldap', provides: ['directory'] },
    {
      driver: { as: 'openldap', bootstrap: true, offers: [], socket: path.join(folder, 'socket') },
      options: { passwordMinLength: 10 },
    },
  );
  const catalogue = path.join(folder, 'catalogue.json');
  writeFileSync(catalogue, JSON.stringify(applianceCatalogue([component])));
  writeFileSync(path.join(folder, 'driver.mjs'), await bundledDriver('ldap', { [appliancePaths.catalogue]: catalogue }));
  const ldif = path.join(checkout, 'stacks/components/ldap/files/etc/devserver/slapd-config.ldif');
  writeFileSync(path.join(folder, 'launch.pl'), listenAndExec);
  const argv = [
    '--mount',
    '--net',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--propagation',
    'private',
    'sh',
    '-euc',
    script,
    'sh',
    folder,
    ldif,
    process.execPath,
  ];
  const child = spawn('unshare', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr?.on('data', (part: Buffer) => {
    errors += part.toString('utf8');
  });
  await untilAnswering(component, child, () => errors);
  return {
    ask: (verb, args = {}) => askDriver(component, verb, args, 30),
    inside: (argv, uid = 0) =>
      run('nsenter', [
        '-t',
        String(childrenOf(child.pid ?? 0)[0]),
        '-a',
        '--',
        'setpriv',
        '--reuid',
        String(uid),
        '--regid',
        String(uid),
        '--clear-groups',
        ...argv,
      ]),
    close: () => {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
}

/** The socket is there, and slapd answers so far that the bootstrap goes through. */
async function untilAnswering(component: ApplianceComponent, child: ChildProcess, errors: () => string): Promise<void> {
  let last = '';
  for (let tries = 0; tries < 600 && child.exitCode === null; tries += 1) {
    await sleep(100);
    const there = await new Promise<boolean>((resolve) => {
      const probe = connect(component.driver?.socket ?? '', () => {
        probe.end();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (!there) continue;
    try {
      await askDriver(component, 'bootstrap', {}, 30);
      return;
    } catch (error) {
      last = String(error);
    }
  }
  throw new Error(`the directory did not come up: ${last}\n${errors()}`);
}
