import path from 'node:path';
import { makeFolder } from '../kernel/folder.ts';
import type { Report } from '../kernel/report.ts';
import type { Command, System } from '../kernel/system.ts';

export type BackendName = 'qemu-kvm' | 'qemu-tcg' | 'nspawn';

/** Ports on the user's computer. */
export interface Ports {
  readonly https: number;
  readonly http: number;
  readonly ssh: number;
}

/** One machine to run, as a value: what was answered, not what is. */
export interface Instance {
  /** The user's folder; everything of the machine is in its subfolder machine/. */
  readonly dir: string;
  readonly name: string;
  readonly hostname: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** Size of the data disk, GiB. A larger number later grows the disk, a smaller one changes nothing. */
  readonly dataMiB: number;
  /** Where the build put system.raw and image.json. */
  readonly out: string;
  /** Address the ports are published on; 127.0.0.1 unless somebody asked otherwise. */
  readonly listen: string;
  /** Ports that must be these; the others are chosen once and kept. */
  readonly ports?: Partial<Ports>;
  readonly timezone?: string;
  /** Public keys that may log in as root, next to the machine's own. */
  readonly authorizedKeys?: readonly string[];
  /** Certificates in PEM form by name: authorities the machine trusts towards the outside. */
  readonly authorities?: Readonly<Record<string, string>>;
  /** The address users see; default https://127.0.0.1:PORT/. */
  readonly url?: string;
}

/** QEMU as the caller provides it, normally out of the tool root. */
export interface Qemu {
  /** The qemu-system program with these arguments. */
  readonly command: (args: readonly string[]) => Command;
  /** UEFI firmware, when the tool root has it. */
  readonly uefi?: { readonly code: string; readonly vars: string };
}

/** What running a machine needs from outside. */
export interface MachineContext {
  readonly system: System;
  readonly report: Report;
  readonly signal?: AbortSignal;
  /** The bundled supervisor, a file beside the bundled CLI. */
  readonly supervisor: string;
  /** Called only when QEMU is needed, since it may have to be fetched. */
  readonly qemu: () => Promise<Qemu>;
}

/** Every file of a machine; docs/files tells what each holds. */
export interface MachinePaths {
  readonly folder: string;
  readonly state: string;
  readonly lock: string;
  readonly plan: string;
  readonly system: string;
  readonly data: string;
  readonly root: string;
  readonly sshKey: string;
  readonly knownHost: string;
  readonly adminPassword: string;
  readonly machineLog: string;
  readonly consoleLog: string;
  readonly credentials: string;
  /** Beside the machine: it outlives it, until its owner moves it away. */
  readonly disasterKey: string;
  readonly disasterRecipient: string;
}

/** Where the files of the machine in `dir` are. */
export function machinePaths(dir: string): MachinePaths {
  const folder = path.resolve(dir, 'machine');
  const at = (name: string) => path.join(folder, name);
  return {
    folder,
    state: at('state.json'),
    lock: at('lock'),
    plan: at('supervisor.json'),
    system: at('system.raw'),
    data: at('data.raw'),
    root: at('root'),
    sshKey: at('ssh_key'),
    knownHost: at('known_host'),
    adminPassword: at('admin-password'),
    machineLog: at('machine.log'),
    consoleLog: at('console.log'),
    credentials: at('credentials'),
    disasterKey: path.resolve(dir, 'disaster-key'),
    disasterRecipient: at('disaster-recipient'),
  };
}

/** The address people use, without a slash at its end. */
export function addressOf({ url, listen }: Pick<Instance, 'url' | 'listen'>, ports: Ports): string {
  return url ?? `https://${listen === '0.0.0.0' ? '127.0.0.1' : listen}:${ports.https}`;
}

/** Makes the folder, readable by its owner alone, and returns the paths in it. */
export function makeMachineFolder(dir: string): MachinePaths {
  const paths = machinePaths(dir);
  makeFolder(paths.folder, 0o700);
  makeFolder(paths.credentials, 0o700);
  return paths;
}
