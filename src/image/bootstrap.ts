import { access } from 'node:fs/promises';
import path from 'node:path';
import { saysDiskFull } from '../kernel/disk-full.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { Command, System } from '../kernel/system.ts';
import { whenUnreachable } from '../lock/unreachable.ts';
import type { PackageLayer } from '../plan/plan.ts';
import { type ImageContext, sourceDateEpoch } from './context.ts';
import { packageProgress } from './package-progress.ts';

/** mmdebstrap's command line for a layer. @param archive apt's line for the archive that holds its packages, and no others. */
export function bootstrapCommand(
  layer: PackageLayer,
  { parameters, archive }: { readonly parameters: string; readonly archive: string },
  output: string,
  temporaryFolder: string | undefined,
  system: Pick<System, 'isRoot'>,
): Command {
  const hook = (name: string) => path.join(parameters, name);
  // As root mmdebstrap mounts /proc and /sys into the tree: in a mount namespace of its own, so that even a
  // killed build leaves no mount behind.
  const isolated = system.isRoot ? ['unshare', '--mount', '--propagation', 'private'] : [];
  return {
    // timeout(1) passes an interruption on to all of mmdebstrap's processes, which alone would go on.
    file: 'timeout',
    // In a user namespace the current folder may be closed to its root, and find(1) fails there.
    cwd: '/',
    args: [
      '--kill-after=20',
      '3h',
      ...isolated,
      'mmdebstrap',
      '--variant=apt',
      `--mode=${system.isRoot ? 'root' : 'unshare'}`,
      '--verbose',
      '--format=tar',
      `--architectures=${layer.architecture}`,
      '--aptopt=Apt::Install-Recommends "false"',
      // Early files are there before the packages that know them; a question would end the build.
      '--dpkgopt=force-confold',
      ...layer.dpkgPaths.flatMap(({ exclude, include }) => [
        ...(exclude === undefined ? [] : [`--dpkgopt=path-exclude=${exclude}`]),
        ...(include === undefined ? [] : [`--dpkgopt=path-include=${include}`]),
      ]),
      `--setup-hook=${hook('setup.sh')}`,
      `--essential-hook=${hook('essential.sh')}`,
      `--customize-hook=${hook('customize.sh')}`,
      `--include=${layer.packages.join(',')}`,
      layer.suite,
      output,
      archive,
    ],
    env: {
      SOURCE_DATE_EPOCH: String(sourceDateEpoch),
      // The kernel package makes no initrd: customize.sh makes it once, after pruning modules.
      INITRD: 'No',
      LC_ALL: 'C.UTF-8',
      ...(temporaryFolder === undefined ? {} : { TMPDIR: temporaryFolder }),
    },
  };
}

/** Runs mmdebstrap; when it fails, the lines that say why are told, which are seldom the last ones. */
export async function runBootstrap(command: Command, { system, report }: ImageContext): Promise<void> {
  const progress = packageProgress(report, 'package layer');
  const telling: string[] = [];
  const onLine = (line: string) => {
    if (saysDiskFull(line) || /^(E:|dpkg: error|devserver:|update-alternatives: error| \S+ depends on )/.test(line))
      telling.push(line);
    progress(line);
  };
  try {
    await system.run(command, { onLine });
  } catch (error) {
    if (!(error instanceof UserError) || telling.length === 0 || error.exitCode === exitCodes.interrupted) throw error;
    const { message, hint, exitCode, details } = error;
    throw whenUnreachable(
      new UserError(message, {
        ...(hint === undefined ? {} : { hint }),
        exitCode,
        details: [...details.slice(0, 1), ...telling.slice(0, 8), ...details.slice(-6)],
        cause: error,
      }),
    );
  }
}

/**
 * What mmdebstrap needs before it starts.
 * @throws UserError (exit 4) naming the package to install.
 */
export async function requireBootstrapTools(
  keyring: PackageLayer['keyring'],
  { system }: Pick<ImageContext, 'system'>,
): Promise<void> {
  if (system.which('mmdebstrap') === undefined) throw lacks('mmdebstrap is not installed', 'mmdebstrap');
  if (!system.isRoot && system.which('newuidmap') === undefined) throw lacks('newuidmap is not installed', 'uidmap');
  await access(keyring.file).catch(() => {
    throw lacks(`the archive's keyring ${keyring.file} is missing`, keyring.package);
  });
}

function lacks(message: string, packageName: string): UserError {
  return new UserError(message, {
    hint: `sudo apt-get install ${packageName}`,
    exitCode: exitCodes.machineLacks,
  });
}
