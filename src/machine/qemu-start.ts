import { existsSync } from 'node:fs';
import { copyFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { lengthenQueues } from './backlog.ts';
import type { MachineContext, MachinePaths, Qemu } from './instance.ts';
import { died, type Launched, launch, release, waitUntilUp } from './launch.ts';
import { identify } from './process.ts';
import { type QemuExtras, type QemuPlan, qemuCommand } from './qemu.ts';
import { runState } from './qmp.ts';
import type { StartPlan } from './start.ts';
import { type MachineState, writeState } from './state.ts';

export type { QemuExtras };

/** Starts QEMU and waits until it executes the guest; a broken KVM is found here, not after minutes. */
export async function startQemu(plan: StartPlan, context: MachineContext): Promise<MachineState> {
  const { paths, instance, state } = plan;
  const qemu = await context.qemu();
  const firmware = plan.extra.uefi === true ? await uefiFirmware(qemu, paths) : undefined;
  const qemuPlan: QemuPlan = {
    backend: plan.backend,
    name: instance.name,
    memoryMiB: instance.memoryMiB,
    cpus: instance.cpus,
    listen: instance.listen,
    ports: state.ports,
    paths,
    credentials: plan.credentials,
    usb: plan.extra.usb ?? [],
    ...(firmware === undefined ? {} : { firmware }),
  };
  const launched = await launch(qemuCommand(qemuPlan, qemu), paths.machineLog, paths.folder);
  const running = { ...state, process: identify(launched.pid), started: new Date().toISOString() };
  // At once: should this process be killed while it waits, `down` must still find QEMU.
  writeState(paths.state, running);
  await waitUntilUp(launched, 'QEMU', 30_000, context.signal, async () => {
    const now = await runState(paths.folder).catch(() => undefined);
    return now === 'running' ? now : undefined;
  });
  if (plan.backend === 'qemu-kvm') await refuseBrokenKvm(launched, paths, context.signal);
  await lengthenQueues(launched.pid, context.system);
  release(launched);
  return running;
}

/** A KVM that can't run a guest says so within its first two seconds and then just sits there. */
async function refuseBrokenKvm(launched: Launched, paths: MachinePaths, signal?: AbortSignal): Promise<void> {
  const looked = performance.now();
  await waitUntilUp(launched, 'QEMU', 10_000, signal, async () => {
    const state = await runState(paths.folder).catch(() => undefined);
    const broken = launched.log().includes('KVM internal error') || state === 'internal-error';
    if (broken) throw died(launched, 'KVM does not run the guest on this machine');
    return performance.now() - looked > 2000 ? true : undefined;
  });
}

async function uefiFirmware(qemu: Qemu, paths: MachinePaths): Promise<{ code: string; vars: string }> {
  if (qemu.uefi === undefined) {
    throw new UserError('no UEFI firmware for QEMU here', {
      hint: 'install the package ovmf',
      exitCode: exitCodes.machineLacks,
    });
  }
  const vars = path.join(paths.folder, 'uefi-vars.fd');
  if (!existsSync(vars)) {
    await copyFile(qemu.uefi.vars, `${vars}.new`);
    await rename(`${vars}.new`, vars);
  }
  return { code: qemu.uefi.code, vars };
}
