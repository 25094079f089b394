import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { readIfThere } from './files.ts';
import { type MachineContext, type MachinePaths, machinePaths } from './instance.ts';
import { withLock } from './lock.ts';
import { groupOf, isAlive, killGroup, signalProcess, waitForEnd } from './process.ts';
import { powerDown, quitNow } from './qmp.ts';
import { type MachineState, offState, readState, writeState } from './state.ts';
import { clearRemains } from './status.ts';

export interface StopOutcome {
  /** false: it was off already. */
  readonly wasRunning: boolean;
  /** true: the guest did not end in time and was killed. */
  readonly killed: boolean;
}

/**
 * Powers a machine off in order, within `seconds` (default 100, in emulation 300), else kills it. One that is off is an answer.
 * Errors: another `up` or `down` at work (busy), a state this account may not read, a process that even SIGKILL does not end.
 */
export async function stopMachine(dir: string, context: Pick<MachineContext, 'report'>, seconds?: number): Promise<StopOutcome> {
  const paths = machinePaths(dir);
  // existsSync would call a machine that is closed to us one that never ran
  if ((await readIfThere(paths.state)) === undefined) return { wasRunning: false, killed: false };
  return withLock(paths.lock, `the machine in ${dir} is being started or stopped`, async () => {
    const state = await readState(paths.state);
    if (state === undefined || !isAlive(state.process)) {
      await clearRemains(paths, state);
      return { wasRunning: false, killed: false };
    }
    const patience = seconds ?? (state.backend === 'qemu-tcg' ? 300 : 100);
    const killed = !(await endInOrder(state, paths, patience * 1000));
    if (killed) {
      context.report({
        type: 'warning',
        text: `the machine did not power off in ${patience} s and was killed`,
      });
      await kill(state, paths);
    }
    await clearRemains(paths, state);
    writeState(paths.state, offState(state));
    return { wasRunning: true, killed };
  });
}

async function endInOrder(state: MachineState, paths: MachinePaths, limit: number): Promise<boolean> {
  if (state.process === undefined) return true;
  if (state.backend === 'nspawn') {
    signalProcess(state.process, 'SIGTERM');
    return waitForEnd(state.process, limit);
  }
  const until = performance.now() + limit;
  // A guest that still boots does not hear the button yet: press it again.
  while (performance.now() < until) {
    await powerDown(paths.folder).catch(() => {});
    if (await waitForEnd(state.process, Math.min(10_000, Math.max(0, until - performance.now())))) return true;
  }
  return false;
}

async function kill(state: MachineState, paths: MachinePaths): Promise<void> {
  if (state.process === undefined) return;
  if (state.backend !== 'nspawn') {
    await quitNow(paths.folder).catch(() => {});
    if (await waitForEnd(state.process, 3000)) return;
  }
  const group = groupOf(state.process);
  if (group === undefined || (await killGroup(group, 10_000))) {
    // The kernel takes the namespaces down a moment after their last process.
    await sleep(200);
    return;
  }
  throw new UserError(`process ${state.process.pid} of the machine does not end`, {
    hint: 'it waits for the kernel; look at dmesg',
    exitCode: exitCodes.failedNotUndone,
  });
}
