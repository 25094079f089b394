import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that can be told from a later one with the same number. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks after boot, field 22 of /proc/PID/stat (proc(5)). */
  readonly startTime: number;
}

/** The process with this number as it is now, or undefined when there is none or only its zombie. */
export function identify(pid: number): ProcessId | undefined {
  const fields = statFields(pid);
  return fields === undefined ? undefined : { pid, startTime: Number(fields[19]) };
}

/** /proc/PID/stat from field 3 on (proc(5)); undefined for a process that is gone or only its zombie. */
function statFields(pid: number): string[] | undefined {
  if (!Number.isInteger(pid)) return undefined;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name in field 2 may hold blanks and parentheses: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields;
}

/** Whether this very process still runs: a recycled number does not count. */
export function isAlive(id: ProcessId | undefined): id is ProcessId {
  return id !== undefined && identify(id.pid)?.startTime === id.startTime;
}

/** Waits until the process is gone; false when `milliseconds` passed first. */
export async function waitForEnd(id: ProcessId, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds;
  while (isAlive(id)) {
    if (performance.now() > until) return false;
    await sleep(50);
  }
  return true;
}

/** Sends a signal to this very process; a process that is gone is no error. */
export function signalProcess(id: ProcessId, signal: NodeJS.Signals | number): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Ends a whole process group at once and waits until none of its members runs; false when `milliseconds` passed first.
 * Killing its leader alone would leave a program that it had just started, such as mount, at work.
 */
export async function killGroup(group: number, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds;
  while (membersOf(group).length > 0) {
    try {
      process.kill(-group, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    if (performance.now() > until) return false;
    await sleep(20);
  }
  return true;
}

/** The number of the process group a running process belongs to. */
export function groupOf(id: ProcessId): number | undefined {
  return isAlive(id) ? Number(statFields(id.pid)?.[2]) : undefined;
}

/** Numbers of the running processes of a group; zombies do not count. */
function membersOf(group: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const fields = statFields(pid);
      return fields !== undefined && Number(fields[2]) === group;
    });
}

/** Numbers of the direct children of a process. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
