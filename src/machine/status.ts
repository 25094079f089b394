import { rmSync } from 'node:fs';
import path from 'node:path';
import { removeGroups } from './cgroup.ts';
import { type BackendName, type MachinePaths, machinePaths, type Ports } from './instance.ts';
import { isAlive } from './process.ts';
import { type MachineState, readState } from './state.ts';

/** The answer to `status`. */
export type MachineStatus =
  | { readonly running: false; readonly ports?: Ports; readonly url?: string }
  | {
      readonly running: true;
      readonly backend: BackendName;
      readonly pid: number;
      readonly ports: Ports;
      readonly url: string;
      readonly imageId: string;
      /** When `up` started it, ISO time; a reboot of the guest changes nothing. */
      readonly started: string;
      readonly uptimeSeconds: number;
    };

/** Whether the machine in `dir` runs, and how it is reached. Changes nothing. */
export async function machineStatus(dir: string): Promise<MachineStatus> {
  return statusOf(await readState(machinePaths(dir).state));
}

/** What a recorded state means now: a recorded process that is gone is a machine that is off. */
export function statusOf(state: MachineState | undefined): MachineStatus {
  if (state === undefined) return { running: false };
  const { backend, ports, url, imageId } = state;
  if (!isAlive(state.process)) return { running: false, ports, url };
  const started = state.started ?? new Date().toISOString();
  const uptimeSeconds = Math.round((Date.now() - Date.parse(started)) / 1000);
  return { running: true, backend, pid: state.process.pid, ports, url, imageId, started, uptimeSeconds };
}

/** Removes what a killed machine could not: control groups, sockets, a half copy. Never a disk. */
export async function clearRemains(paths: MachinePaths, state: MachineState | undefined): Promise<void> {
  await removeGroups(state?.cgroups ?? []);
  const names = ['slirp.sock', 'qmp.sock', '.#machine.root.lck', '.#root.lck', 'system.raw.new', 'uefi-vars.fd.new'];
  for (const name of names) rmSync(path.join(paths.folder, name), { force: true });
  rmSync(`${paths.data}.formatting`, { force: true });
}
