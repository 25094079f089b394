import type { Command } from '../kernel/system.ts';
import { type Credential, nspawnCredentials } from './credentials.ts';
import type { MachinePaths, Ports } from './instance.ts';

/** All the supervisor needs to know, written to machine/supervisor.json by `up`. Holds no secret, only paths. */
export interface NspawnPlan {
  readonly paths: MachinePaths;
  readonly name: string;
  readonly hostname: string;
  readonly memoryMiB: number;
  /** The root partition inside the system disk, bytes. */
  readonly root: { readonly offset: number; readonly bytes: number };
  readonly listen: string;
  readonly ports: Ports;
  readonly credentials: readonly Credential[];
}

/** systemd-nspawn's exit code for "the guest asked for a reboot" when it runs with --keep-unit. */
export const rebootCode = 133;

/** SIGRTMIN+4 asks a systemd that is process 1 for an orderly poweroff (systemd(1), SIGNALS). */
export const poweroffSignal = 38;

/**
 * The container. It runs in a process namespace of its own whose first process dies with the
 * supervisor, and with that one the kernel ends every process below it: systemd-nspawn alone
 * leaves its guest running when it is killed.
 */
export function containerCommand(plan: NspawnPlan): Command {
  const nspawn = [
    'systemd-nspawn',
    '--register=no',
    '--keep-unit',
    `--directory=${plan.paths.root}`,
    `--machine=${plan.name}`,
    `--hostname=${plan.hostname}`,
    '--boot',
    '--private-network',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--console=read-only',
    ...nspawnCredentials(plan.credentials),
  ];
  return {
    file: 'setpriv',
    args: ['--pdeathsig', 'KILL', '--', 'unshare', '--pid', '--fork', '--kill-child', '--mount-proc', ...nspawn],
    env: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
  };
}

/** The supervisor, in a mount namespace of its own: what it mounts ends with it, loop devices included. */
export function supervisorCommand(
  node: string,
  supervisor: string,
  planFile: string,
  name: string,
  hostHasSystemd: boolean,
): Command {
  const inNamespace = ['unshare', '--mount', '--propagation', 'private', '--', node, supervisor, planFile];
  if (!hostHasSystemd) return { file: 'unshare', args: inNamespace.slice(1) };
  // Under systemd the container may only use control groups that were delegated to it.
  const scope = ['--scope', '--collect', '--quiet', '-p', 'Delegate=yes', `--description=devserver ${name}`];
  return { file: 'systemd-run', args: [...scope, '--', ...inNamespace] };
}

/** Mounting the root partition out of the system disk; the loop device clears itself. */
export function mountRoot(plan: NspawnPlan): Command {
  const options = `loop,offset=${plan.root.offset},sizelimit=${plan.root.bytes}`;
  return { file: 'mount', args: ['-t', 'ext4', '-o', options, plan.paths.system, plan.paths.root] };
}
