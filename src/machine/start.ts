import { exitCodes, UserError } from '../kernel/errors.ts';
import type { Secret } from '../kernel/secret.ts';
import { shownSize } from '../kernel/size.ts';
import { type Credential, dropRestoreKey, writeCredentials } from './credentials.ts';
import { keepDisasterKey } from './disaster-key.ts';
import { type ImageFacts, prepareDataDisk, prepareSystemDisk, readImage } from './disks.ts';
import type { BackendName, Instance, MachineContext, MachinePaths, Ports } from './instance.ts';
import { addressOf, machinePaths, makeMachineFolder } from './instance.ts';
import { keepSshKey } from './keys.ts';
import { withLock } from './lock.ts';
import { startNspawn } from './nspawn-start.ts';
import { keepAdminPassword } from './password.ts';
import { withPortLock } from './port-lock.ts';
import { choosePorts } from './ports.ts';
import { isAlive } from './process.ts';
import { type QemuExtras, startQemu } from './qemu-start.ts';
import { type MachineState, offState, readState, writeState } from './state.ts';
import { clearRemains, type MachineStatus, machineStatus, statusOf } from './status.ts';

/** What a backend gets to start a machine: all decided, all files there. */
export interface StartPlan {
  readonly instance: Instance;
  readonly backend: BackendName;
  readonly paths: MachinePaths;
  readonly image: ImageFacts;
  readonly state: MachineState;
  readonly credentials: readonly Credential[];
  readonly extra: QemuExtras;
}

/** What a start may have beyond what the instance says. */
export interface StartExtras extends QemuExtras {
  /** Secret half of a key: a machine at its first boot takes back the newest backup on a labelled disk. */
  readonly restoreKey?: Secret;
}

export interface StartOutcome {
  readonly alreadyRunning: boolean;
  readonly status: MachineStatus;
  /** Holds the admin's first password, mode 0600. */
  readonly adminPasswordFile: string;
}

/**
 * Starts a machine and returns when its processes run and its ports are open; the guest may still boot.
 * One that runs already is an answer. Interrupted or failed, it leaves no process, mount or port.
 * Two machines that start at once start one after the other, so that they find different ports.
 * Errors: port taken, no image, another `up` at work (busy), the backend's own.
 */
export async function startMachine(
  instance: Instance,
  backend: BackendName,
  context: MachineContext,
  extra: StartExtras = {},
): Promise<StartOutcome> {
  // before anything is made: what can't be started leaves no password of a machine that never was
  if (!(await machineStatus(instance.dir)).running) await readImage(instance.out);
  const paths = makeMachineFolder(instance.dir);
  return withLock(paths.lock, `the machine in ${instance.dir} is being started or stopped`, async () => {
    const recorded = await readState(paths.state);
    const adminPasswordFile = await keepAdminPassword(paths.adminPassword);
    if (isAlive(recorded?.process)) {
      return { alreadyRunning: true, status: statusOf(recorded), adminPasswordFile };
    }
    await clearRemains(paths, recorded);
    const running = await withPortLock(context, async () =>
      start(await prepare(instance, backend, paths, recorded, context, extra), context),
    );
    return { alreadyRunning: false, status: statusOf(running), adminPasswordFile };
  });
}

/** The ports a start of a machine that is off would take. @throws UserError for one that can't be had. */
export async function plannedPorts({ dir, listen, ports }: Instance): Promise<Ports> {
  const recorded = await readState(machinePaths(dir).state);
  return choosePorts(listen, ports ?? {}, recorded?.ports);
}

async function prepare(
  instance: Instance,
  backend: BackendName,
  paths: MachinePaths,
  recorded: MachineState | undefined,
  context: MachineContext,
  extra: StartExtras,
): Promise<StartPlan> {
  const { listen } = instance;
  const image = await readImage(instance.out);
  const ports = await choosePorts(listen, instance.ports ?? {}, recorded?.ports);
  const url = addressOf(instance, ports);
  keepSshKey(paths, instance.name);
  const disk = await prepareSystemDisk(instance, paths, image, recorded?.imageId, context.system);
  if (disk === 'replaced') context.report({ type: 'note', text: 'new system disk; the data disk is kept' });
  const dataMiB = (await prepareDataDisk(instance, paths)) / 1024 ** 2;
  if (dataMiB > instance.dataMiB) {
    const [is, asked] = [shownSize(dataMiB), shownSize(instance.dataMiB)];
    context.report({
      type: 'warning',
      text: `the data disk stays at ${is}: it never shrinks (devserver.yaml asks for ${asked})`,
    });
  }
  const state: MachineState = { backend, ports, listen, url, imageId: image.id };
  writeState(paths.state, state);
  const { disasterKey: secret, disasterRecipient: recipient } = paths;
  const disasterRecipient = await keepDisasterKey({ secret, recipient }, context.report);
  const credentials = await writeCredentials(instance, paths, { url, disasterRecipient, restoreKey: extra.restoreKey });
  return { instance, backend, paths, image, state, credentials, extra };
}

async function start(plan: StartPlan, context: MachineContext): Promise<MachineState> {
  try {
    context.signal?.throwIfAborted();
    return plan.backend === 'nspawn' ? await startNspawn(plan, context) : await startQemu(plan, context);
  } catch (error) {
    const left = await readState(plan.paths.state);
    await clearRemains(plan.paths, left);
    if (left !== undefined) writeState(plan.paths.state, offState(left));
    if (context.signal?.aborted === true) {
      throw new UserError('interrupted; the machine is not started', { exitCode: exitCodes.interrupted });
    }
    throw error;
  } finally {
    // the machine has it by now, or never will; it opens every backup there is
    await dropRestoreKey(plan.paths).catch(() => {});
  }
}
