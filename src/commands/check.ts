import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { type HostTool, hostTools, isNeeded, isThere } from '../host-tools.ts';
import { exitCodes } from '../kernel/errors.ts';
import { whyNotWritable } from '../kernel/folder.ts';
import type { System } from '../kernel/system.ts';
import { availableMiB } from '../machine/memory.ts';
import type { CommandContext } from './context.ts';

export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  /** Without it nothing can be built; else it can do without. */
  readonly needed: boolean;
  readonly remedy: string;
}

/** What is looked at beside programs. */
export interface MachineFacts {
  /** Name of the account that builds. */
  readonly user: string;
  /** Accounts with a range of user numbers of their own, from /etc/subuid. */
  readonly subordinateUsers: readonly string[];
  /** Bytes free where the cache is or will be. */
  readonly freeBytes: number;
  /** Undefined where the system does not tell. */
  readonly memoryMiB: number | undefined;
}

/** `check`: what this machine lacks, each with its remedy; exit 4 when a build is impossible. */
export function runCheck(
  { system, cache, output }: Pick<CommandContext, 'system' | 'cache' | 'output'>,
  facts: MachineFacts = machineFacts(cache),
): void {
  const findings = checkMachine(system, cache, facts);
  const lines = findings.map(
    ({ what, ok, needed, remedy }) => `${ok ? 'ok' : needed ? '!!' : ' -'}  ${what}${ok ? '' : `: ${remedy}`}`,
  );
  const missing = findings.filter(({ ok, needed }) => needed && !ok);
  output.result(lines.join('\n'), { ok: missing.length === 0, findings });
  if (missing.length > 0) process.exitCode = exitCodes.machineLacks;
}

/** Everything a build and a start want of this machine. */
export function checkMachine(
  system: System,
  cache: string,
  facts: MachineFacts,
  tools: readonly HostTool[] = hostTools,
): Finding[] {
  return [
    ...tools.map((tool) => checkTool(tool, system)),
    checkUserNamespaces(system, facts),
    checkSpace(cache, facts),
    checkMemory(facts),
  ];
}

function checkTool(tool: HostTool, system: System): Finding {
  return {
    what: `${tool.program} (${tool.why})`,
    ok: isThere(tool, system),
    needed: isNeeded(tool, system),
    remedy: `${system.isRoot ? '' : 'sudo '}apt-get install ${tool.package}`,
  };
}

function checkUserNamespaces({ isRoot }: System, { user, subordinateUsers }: MachineFacts): Finding {
  return {
    what: `user namespaces, to build without root${isRoot ? ' (not needed: you are root)' : ''}`,
    ok: isRoot || subordinateUsers.includes(user),
    needed: !isRoot,
    remedy: `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`,
  };
}

/** A build wants about 6 GB: package layer, root file system, disk. */
function checkSpace(cache: string, { freeBytes }: MachineFacts): Finding {
  const why = whyNotWritable(cache);
  return {
    what: `${(freeBytes / 1e9).toFixed(1)} GB free for the cache in ${cache}`,
    ok: freeBytes >= 6e9 && why === undefined,
    needed: true,
    remedy: why === undefined ? 'free 6 GB or give --cache DIR on another disk' : `${why}: give --cache DIR elsewhere`,
  };
}

function checkMemory({ memoryMiB }: MachineFacts): Finding {
  return {
    what: memoryMiB === undefined ? 'memory that is available' : `${(memoryMiB / 1024).toFixed(1)} GB memory available`,
    ok: memoryMiB !== undefined && memoryMiB >= 3300,
    needed: false,
    remedy: 'the default stack wants 3 GB while it runs',
  };
}

function machineFacts(cache: string): MachineFacts {
  let folder = cache;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const subuid = existsSync('/etc/subuid') ? readFileSync('/etc/subuid', 'utf8') : '';
  return {
    user: userInfo().username,
    subordinateUsers: subuid.split('\n').map((line) => line.split(':')[0] ?? ''),
    freeBytes: bavail * bsize,
    memoryMiB: availableMiB(),
  };
}
