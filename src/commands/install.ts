import { mkdir } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import path from 'node:path';
import { openCache } from '../image/cache.ts';
import { artifactLayers, fetchAll } from '../image/downloaded.ts';
import { packInstaller } from '../image/installer/pack.ts';
import type { Installer } from '../image/installer/parts.ts';
import { fetchSourceKeys } from '../image/source-keys.ts';
import { withWorkFolder } from '../image/work-folder.ts';
import { type ExitCode, exitCodes, UserError } from '../kernel/errors.ts';
import { stage } from '../kernel/report.ts';
import { siteAddress } from '../kernel/site-address.ts';
import { keepDisasterKey } from '../machine/disaster-key.ts';
import { readIfThere } from '../machine/files.ts';
import { machinePaths } from '../machine/instance.ts';
import { type RemoteHost, remoteHost } from '../machine/remote-host.ts';
import { connectRemote, runRemote } from '../machine/remote-session.ts';
import { endWhenAborted } from '../machine/ssh.ts';
import type { Answers } from '../plan/answers.ts';
import { readAnswers } from './answers-file.ts';
import { authoritiesCredential } from './authorities.ts';
import { type CommandContext, type CommonOptions, requireFolders } from './context.ts';
import { imageContext } from './image-context.ts';
import { makeMachinePlan, planAsJson, showPlan } from './make-plan.ts';

export interface InstallOptions extends CommonOptions {
  /** `USER@HOST`. */
  readonly ssh?: string;
  readonly port?: string;
  /** File with the private key to log in with. */
  readonly identity?: string;
  /** Fingerprint of the host's key. */
  readonly hostKey?: string;
}

/** `install DIR --ssh USER@HOST`: makes a minimal machine with the base's system the server that DIR describes. */
export async function runInstall(dir: string, options: InstallOptions, context: CommandContext): Promise<void> {
  const { output, system, signal, cache } = context;
  const to = options.ssh;
  if (to === undefined) throw new UserError('where to?', { exitCode: exitCodes.usage, hint: `install ${dir} --ssh USER@HOST` });
  const port = options.port === undefined ? undefined : Number(options.port);
  const remote = await remoteHost({ to, port, identity: options.identity }, system);
  const given = readAnswers(dir, context.catalogue());
  const answers = { ...given.answers, url: given.answers.url ?? addressOf(remote) };
  const { plan, needs } = await makeMachinePlan({ ...given, answers }, context);
  if (options.dryRun === true) {
    output.result(`${showPlan(plan, answers)}\n  onto        ${remote.user}@${remote.host}, which runs ${plan.base.title}`, {
      plan: planAsJson(plan),
      ...{ host: remote.host, user: remote.user },
    });
    return;
  }
  requireFolders(dir, cache);
  const settings = imageContext(dir, context);
  const said = new Map<string, string>();
  await withWorkFolder(path.resolve(dir), async (work) => {
    const keys = await fetchSourceKeys(plan.layer.extraSources, settings);
    const credentials = await credentialsOf(dir, given.answers, context);
    const installer: Installer = { plan, needs, keys, artifacts: [], credentials };
    const run = async (name: string, what: Installer, check: boolean): Promise<void> => {
      await stage(output.report, name, async () => {
        const folder = path.join(work, name.replaceAll(' ', '-'));
        await mkdir(folder);
        const file = path.join(folder, 'installer.tar.gz');
        await packInstaller(file, folder, what, { system, isWhole: !check });
        await runThere(remote, file, check, options, { report: output.report, signal, said });
        return { value: undefined };
      });
    };
    await run('look at the machine', installer, true);
    const store = await openCache(cache);
    const fetched = await stage(output.report, 'downloads', () => fetchAll(plan.downloads, store, settings));
    const artifacts = await stage(output.report, 'files layer', () => artifactLayers(fetched, store));
    await run('install', { ...installer, artifacts }, false);
  });
  const recipient = (await readIfThere(machinePaths(path.resolve(dir)).disasterRecipient))?.trim();
  if (said.get('recipient') !== recipient)
    output.report({
      type: 'warning',
      text: `${remote.host} keeps the disaster key it had before: the one in ${dir} opens none of its backups`,
    });
  const password = '/srv/system/initial-admin-password';
  const url = said.get('ready') ?? answers.url;
  output.result(`ready: ${url}/\nlog in as admin with the password in ${password} on ${remote.host}`, {
    ...{ url, admin: 'admin', adminPasswordFile: password, host: remote.host },
  });
}

/** The address of a machine that nobody gave one: how it is reached. */
function addressOf({ host }: RemoteHost): string {
  const url = `https://${isIPv6(host) ? `[${host}]` : host.toLowerCase()}`;
  if (siteAddress.test(url)) return url;
  throw new UserError(`${host} is no name for an address that people use`, {
    exitCode: exitCodes.usage,
    hint: 'write url: https://… into devserver.yaml',
  });
}

/** What a first boot gets beside the image, as `up` gives it; the secret half of the disaster key stays here. */
async function credentialsOf(
  dir: string,
  { authorities, url }: Pick<Answers, 'authorities' | 'url'>,
  { output }: CommandContext,
): Promise<Record<string, string>> {
  const { disasterKey: secret, disasterRecipient: recipient, folder } = machinePaths(path.resolve(dir));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return {
    'devserver.disaster-recipient': await keepDisasterKey({ secret, recipient }, output.report),
    // over what the machine has kept; one that is only how it was reached is not
    ...(url === undefined ? {} : { 'devserver.url': url }),
    ...authoritiesCredential(dir, authorities),
  };
}

/** The one line that the remote shell gets; all that differs comes through its input. */
const unpackAndRun = (check: boolean): string =>
  `sh -c 'set -eu; umask 077; d=$(mktemp -d /var/tmp/devserver-install.XXXXXX); trap "rm -rf \\"$d\\"" EXIT; trap "exit 130" HUP INT TERM; ` +
  `tar -x -z -f - -C "$d"; sh "$d/install.sh"${check ? ' --check' : ''}'`;

interface Running {
  readonly report: CommandContext['output']['report'];
  readonly signal: AbortSignal;
  /** What it told last, by the word it begins with. */
  readonly said: Map<string, string>;
}

async function runThere(
  remote: RemoteHost,
  file: string,
  check: boolean,
  { hostKey }: InstallOptions,
  { report, signal, said }: Running,
): Promise<void> {
  const client = await connectRemote(remote, hostKey, signal);
  const listening = endWhenAborted(client, signal);
  try {
    const onLine = (line: string): void => {
      const [, word = '', text = ''] = /^devserver: (step|recipient|ready) (.*)$/.exec(line) ?? [];
      if (word === 'step') report({ type: 'progress', name: 'install', text });
      if (word !== '') said.set(word, text);
    };
    const command = `${remote.user === 'root' ? '' : 'sudo -n -- '}${unpackAndRun(check)}`;
    const { exitCode, errors } = await runRemote(client, command, { onLine, input: file, signal });
    if (exitCode !== 0) throw failed(remote, exitCode, errors, said.has('step'));
  } finally {
    listening();
    client.end();
  }
}

function failed({ host, user }: RemoteHost, exitCode: number, errors: readonly string[], hasBegun: boolean): UserError {
  const details = errors.slice(-30);
  // as install.sh ends
  const known: Readonly<Record<number, ExitCode>> = { 64: exitCodes.machineLacks, 65: exitCodes.busy };
  if (!hasBegun)
    return new UserError(`${host} can not become the server; nothing was changed there`, {
      exitCode: known[exitCode] ?? exitCodes.machineLacks,
      details,
      hint:
        user !== 'root' && errors.some((line) => line.startsWith('sudo:'))
          ? `${user} has to be allowed to use sudo without a password, or log in as root`
          : 'see to what is told above, and run it again',
    });
  return new UserError(`the installation on ${host} ended with ${exitCode}`, {
    exitCode: exitCodes.failedNotUndone,
    details,
    hint: 'what was installed until then is there; run it again, and it goes on',
  });
}
