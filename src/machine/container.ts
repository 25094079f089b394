import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { realSystem } from '../kernel/system.ts';
import { lengthenQueues } from './backlog.ts';
import { insideGroups } from './cgroup.ts';
import { containerCommand, type NspawnPlan, poweroffSignal } from './nspawn.ts';
import { childrenOf, identify, type ProcessId, signalProcess, waitForEnd } from './process.ts';
import { startSlirp } from './slirp.ts';
import { type MachineState, readState, writeState } from './state.ts';

/** How long a guest may take for an orderly end, milliseconds. */
const poweroffLimit = 90_000;

/** Why the machine ends: the `up` that started it is gone. */
export const abandoned = 'abandoned';

/**
 * One boot of the container, with network and published ports: its exit code. Aborting `stop` ends it,
 * in order or, when the reason is `abandoned`, at once.
 */
export async function runContainer(plan: NspawnPlan, groups: readonly string[], stop: AbortSignal): Promise<number> {
  const command = insideGroups(groups, containerCommand(plan));
  const env = { ...process.env, ...command.env };
  const console = openSync(plan.paths.consoleLog, 'a', 0o600);
  const container = spawn(command.file, command.args, { stdio: ['ignore', console, 'inherit'], env });
  closeSync(console);
  const ended = endOf(container);
  let slirp: ChildProcess | undefined;
  try {
    const leader = await findLeader(container);
    slirp = await startSlirp(leader.pid, 'slirp.sock', plan.listen, plan.ports);
    await lengthenQueues(slirp.pid ?? 0, realSystem());
    slirp.once('exit', () => container.exitCode ?? say('the network helper ended'));
    await recordNews(plan, { leader, process: identify(process.pid) });
    const end = () => void endGuest(leader, container, stop.reason === abandoned);
    stop.addEventListener('abort', end, { once: true });
    if (stop.aborted) end();
    return await ended;
  } finally {
    container.kill('SIGKILL');
    slirp?.kill('SIGKILL');
    await ended;
    await rm('slirp.sock', { force: true });
  }
}

async function endGuest(leader: ProcessId, container: ChildProcess, atOnce: boolean): Promise<void> {
  if (atOnce) {
    container.kill('SIGKILL');
    return;
  }
  const until = performance.now() + poweroffLimit;
  while (performance.now() < until) {
    // A systemd that has only just begun does not hear it yet: say it again.
    signalProcess(leader, poweroffSignal);
    if (await waitForEnd(leader, 5000)) return;
  }
  say('the guest did not power off in time and is killed');
  container.kill('SIGKILL');
}

/** setpriv and sh became unshare; its child is systemd-nspawn; that one's child in yet another namespace is the guest. */
async function findLeader(container: ChildProcess): Promise<ProcessId> {
  for (let attempt = 0; attempt < 5000; attempt += 1) {
    if (container.exitCode !== null || container.signalCode !== null) break;
    for (const nspawn of childrenOf(container.pid ?? 0)) {
      for (const candidate of childrenOf(nspawn)) {
        const id = identify(candidate);
        if (id !== undefined && namespaceOf(candidate, 'net') !== namespaceOf(process.pid, 'net')) return id;
      }
    }
    await sleep(20);
  }
  throw new Error('systemd-nspawn did not start the guest');
}

function namespaceOf(pid: number, kind: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    // Gone meanwhile: as good as one that did not enter a namespace of its own.
    return readlinkSync(`/proc/self/ns/${kind}`);
  }
}

/** Adds what is new to machine/state.json. */
export async function recordNews(plan: NspawnPlan, news: Partial<MachineState>): Promise<void> {
  const state = await readState(plan.paths.state);
  if (state === undefined) throw new Error('no state file');
  writeState(plan.paths.state, { ...state, ...news });
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 0));
  });
}

/** A line in machine.log. */
export function say(...lines: string[]): void {
  for (const line of lines) process.stderr.write(`${new Date().toISOString()} supervisor: ${line}\n`);
}
