import { type HostTool, hostTools, isNeeded, isThere } from './host-tools.ts';
import { exitCodes, UserError } from './kernel/errors.ts';
import { type Report, stage } from './kernel/report.ts';
import type { System } from './kernel/system.ts';

/**
 * Installs what this machine lacks through apt where root or sudo is there.
 * @throws UserError with the one command to type and exit code 4 where it is not, or where apt fails.
 */
export async function ensureHostTools(system: System, report: Report, tools: readonly HostTool[] = hostTools): Promise<void> {
  const missing = tools.filter((tool) => !isThere(tool, system));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => tool.package))].sort();
  const isStopped = missing.some((tool) => isNeeded(tool, system));
  const prefix = system.isRoot ? [] : (await canSudo(system)) ? ['sudo', '-n'] : undefined;
  if (system.which('apt-get') === undefined || prefix === undefined) {
    if (isStopped) throw lacks(missing, packages);
    return;
  }
  const install = stage(report, `install ${packages.join(', ')}`, async () => {
    const [first = 'apt-get', ...rest] = [...prefix, 'apt-get'];
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    await system.run({ file: first, args: [...rest, 'update', '-qq'], env });
    const there = await installable(missing, system);
    if (there.length > 0)
      await system.run({ file: first, args: [...rest, 'install', '-y', '-qq', '--no-install-recommends', ...there], env });
    return { value: undefined };
  });
  await install.catch((error: unknown) => {
    if (isInterruption(error)) throw error;
    if (isStopped) throw lacks(missing, packages, error);
    report({
      type: 'warning',
      text: `without ${packages.join(', ')} something will be missing later: ${error instanceof Error ? error.message : String(error)}`,
    });
  });
}

/** The one command to type; with what apt said when it was tried. */
function lacks(missing: readonly HostTool[], packages: readonly string[], tried?: unknown): UserError {
  const programs = missing.map(({ program }) => program).join(', ');
  return new UserError(`this machine lacks ${programs}${tried === undefined ? '' : ', and apt could not install them'}`, {
    exitCode: exitCodes.machineLacks,
    hint: `sudo apt-get update && sudo apt-get install --no-install-recommends ${packages.join(' ')}`,
    details: tried instanceof UserError ? [tried.message, ...tried.details] : [],
    cause: tried,
  });
}

function isInterruption(error: unknown): boolean {
  return error instanceof UserError && error.exitCode === exitCodes.interrupted;
}

/** Packages of the missing tools, without those that can be done without and that this release does not have. */
async function installable(missing: readonly HostTool[], system: System): Promise<string[]> {
  const names = new Set<string>();
  for (const tool of missing) {
    const known =
      isNeeded(tool, system) ||
      (await system.run({ file: 'apt-cache', args: ['show', '--quiet', tool.package] }, { accept: 'any' })).exitCode === 0;
    if (known) names.add(tool.package);
  }
  return [...names].sort();
}

async function canSudo(system: System): Promise<boolean> {
  if (system.which('sudo') === undefined) return false;
  const { exitCode } = await system.run({ file: 'sudo', args: ['-n', 'true'] }, { accept: 'any' });
  return exitCode === 0;
}
