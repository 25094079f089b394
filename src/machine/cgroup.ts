import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../kernel/system.ts';

const mount = '/sys/fs/cgroup';

/** The control groups a container is put into, and whether its memory is limited by them. */
export interface GuestGroups {
  readonly folders: readonly string[];
  readonly memoryLimited: boolean;
}

/**
 * Makes control groups for one container. It needs one of its own in any case: two systemds in one
 * group would end each other's processes. Memory is limited where the controller is at hand.
 */
export function makeGuestGroups(name: string, memoryMiB: number): GuestGroups {
  const bytes = String(memoryMiB * 1024 * 1024);
  if (existsSync(`${mount}/cgroup.controllers`)) {
    const parent = unifiedParent();
    const folder = makeFolder(path.join(parent, name));
    for (const controller of ['cpu', 'memory', 'io', 'pids']) {
      tryWrite(path.join(parent, 'cgroup.subtree_control'), `+${controller}`);
    }
    return { folders: [folder], memoryLimited: tryWrite(path.join(folder, 'memory.max'), bytes) };
  }
  // systemd-nspawn makes its groups in the named hierarchy too, beside those in the unified one.
  const named = ['unified', 'systemd'].filter((one) => existsSync(`${mount}/${one}/cgroup.procs`));
  const made = named.map((one) => makeFolder(`${mount}/${one}/${name}`));
  if (!existsSync(`${mount}/memory/cgroup.procs`)) return { folders: made, memoryLimited: false };
  const memory = makeFolder(`${mount}/memory/${name}`);
  const memoryLimited = tryWrite(path.join(memory, 'memory.limit_in_bytes'), bytes);
  return { folders: [...made, memory], memoryLimited };
}

/** The command, started inside these groups. Group names reach the shell as arguments, never as code. */
export function insideGroups(groups: readonly string[], command: Command): Command {
  const enter = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; n=$((n-1)); done; exec "$@"';
  const args = ['-c', enter, 'sh', String(groups.length), ...groups, command.file, ...command.args];
  return { ...command, file: 'sh', args };
}

/**
 * Removes the groups and all below them. The kernel takes a moment to end the last processes in
 * them, so it tries for two seconds; what is in use even then stays, without an error.
 */
export async function removeGroups(folders: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    removeOnce(folders);
    if (!folders.some((folder) => existsSync(folder))) return;
    await sleep(50);
  }
}

function removeOnce(folders: readonly string[]): void {
  for (const folder of folders) {
    if (!folder.startsWith(`${mount}/`) || !existsSync(folder)) continue;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeOnce([path.join(folder, entry.name)]);
    }
    try {
      rmdirSync(folder);
    } catch {
      // Busy: a process is still leaving.
    }
  }
}

/**
 * Under systemd only the scope given to us is ours; its own processes must leave its top, since
 * controllers can't be handed down from a group that holds processes. Elsewhere the top is free.
 */
function unifiedParent(): string {
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  if (!own.endsWith('.scope')) return mount;
  const scope = path.join(mount, own);
  tryWrite(path.join(makeFolder(path.join(scope, 'host')), 'cgroup.procs'), String(process.pid));
  return scope;
}

function makeFolder(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

function tryWrite(file: string, text: string): boolean {
  try {
    writeFileSync(file, text);
    return true;
  } catch {
    return false;
  }
}
