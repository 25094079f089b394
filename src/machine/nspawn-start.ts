import { existsSync } from 'node:fs';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { writeOwn } from './files.ts';
import type { MachineContext } from './instance.ts';
import { launch, release, waitUntilUp } from './launch.ts';
import { type NspawnPlan, supervisorCommand } from './nspawn.ts';
import { isAlive } from './process.ts';
import type { StartPlan } from './start.ts';
import { type MachineState, readState } from './state.ts';

/** Programs of the native backend and the Debian packages that hold them. */
const programs = {
  'systemd-nspawn': 'systemd-container',
  slirp4netns: 'slirp4netns',
  'mkfs.btrfs': 'btrfs-progs',
  btrfs: 'btrfs-progs',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  nsenter: 'util-linux',
} as const;

/** Which packages the native backend lacks on this machine. */
export function missingForNspawn(which: (name: string) => string | undefined): string[] {
  const absent = Object.entries(programs).filter(([program]) => which(program) === undefined);
  return [...new Set(absent.map(([, packageName]) => packageName))];
}

/** Starts the supervisor and waits until the guest's process 1 runs and its ports are open. */
export async function startNspawn(plan: StartPlan, context: MachineContext): Promise<MachineState> {
  refuseUnfit(context);
  const { paths, instance, image, state } = plan;
  const supervisorPlan: NspawnPlan = {
    paths,
    name: instance.name,
    hostname: instance.hostname,
    memoryMiB: instance.memoryMiB,
    root: image.root,
    listen: instance.listen,
    ports: state.ports,
    credentials: plan.credentials,
  };
  writeOwn(paths.plan, JSON.stringify(supervisorPlan, null, 2));
  const hostHasSystemd = existsSync('/run/systemd/system');
  const command = supervisorCommand(process.execPath, context.supervisor, paths.plan, instance.name, hostHasSystemd);
  const launched = await launch(command, paths.machineLog, paths.folder);
  const running = await waitUntilUp(launched, 'the native machine', 120_000, context.signal, async () => {
    const now = await readState(paths.state);
    return isAlive(now?.process) && isAlive(now.leader) ? now : undefined;
  });
  release(launched);
  if (launched.log().includes('memory limit is not enforced')) {
    context.report({ type: 'warning', text: 'no memory controller here: the memory limit is not enforced' });
  }
  return running;
}

function refuseUnfit(context: MachineContext): void {
  if (!context.system.isRoot) {
    throw new UserError('the native backend needs root', {
      hint: 'run it with sudo, or choose --backend qemu',
      exitCode: exitCodes.machineLacks,
    });
  }
  const missing = missingForNspawn(context.system.which);
  if (missing.length === 0) return;
  throw new UserError(`the native backend lacks ${missing.join(', ')}`, {
    hint: `apt-get install ${missing.join(' ')}`,
    exitCode: exitCodes.machineLacks,
  });
}
