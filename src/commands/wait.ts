import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { Report } from '../kernel/report.ts';
import { type ExecOptions, execInMachine } from '../machine/exec.ts';
import type { BackendName } from '../machine/instance.ts';
import { machineStatus } from '../machine/status.ts';

export interface WaitOptions {
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly backend: BackendName;
}

/** What `devserver status --json` prints, as far as waiting reads it. */
export interface InsideStatus {
  readonly ready: boolean;
  readonly components: readonly {
    readonly name: string;
    readonly state: string;
    readonly reason?: string;
    readonly hint?: string;
  }[];
  readonly warnings: readonly { readonly text: string; readonly hint: string; readonly urgent: boolean }[];
}

/** Seconds until the first boot is given up. */
const limits: Readonly<Record<BackendName, number>> = { nspawn: 1200, 'qemu-kvm': 600, 'qemu-tcg': 1800 };

/** Returns when every component's checks pass. @throws UserError naming what is still missing. */
export async function waitUntilReady(dir: string, { report, signal, backend }: WaitOptions): Promise<void> {
  const limit = limits[backend] * 1000;
  const begun = performance.now();
  let last: InsideStatus | undefined;
  while (performance.now() - begun < limit) {
    const asked = performance.now();
    const status = await insideStatus(dir, { signal });
    const took = performance.now() - asked;
    if (signal.aborted) throw interrupted(dir);
    if (status?.ready === true) return;
    last = status ?? last;
    if (!(await machineStatus(dir)).running) {
      throw new UserError('the machine stopped while starting', { hint: `look into ${dir}/machine/console.log` });
    }
    const open = last?.components.filter(({ state }) => state !== 'ready').map(({ name }) => name) ?? ['the system'];
    report({ type: 'progress', name: 'wait until every component is ready', text: `still starting: ${open.join(', ')}` });
    await sleep(pauseAfter(took), undefined, { signal }).catch(() => {});
  }
  const open = last?.components.filter(({ state }) => state !== 'ready') ?? [];
  throw new UserError(`not ready after ${limits[backend]} s`, {
    hint: `create-devserver logs ${dir}`,
    details: open.map(
      ({ name, state, reason, hint }) => `${name}: ${state}: ${reason ?? ''}${hint === undefined ? '' : ` (${hint})`}`,
    ),
  });
}

/**
 * Milliseconds to the next question. To answer costs the machine a login and two programs: asked without
 * pause, one in software emulation would do little else.
 */
export function pauseAfter(took: number): number {
  return Math.min(20_000, Math.max(1000, 2 * took));
}

function interrupted(dir: string): UserError {
  return new UserError('interrupted; the machine runs on', {
    exitCode: exitCodes.interrupted,
    hint: `create-devserver down ${dir}`,
  });
}

/** The appliance's own word, or undefined while it can't be asked. */
export async function insideStatus(
  dir: string,
  options: Pick<ExecOptions, 'signal' | 'connectMilliseconds'>,
): Promise<InsideStatus | undefined> {
  const parts: Buffer[] = [];
  try {
    await execInMachine(dir, ['devserver', 'status', '--json'], {
      onStdout: (part) => parts.push(part),
      ...options,
    });
    const said = JSON.parse(Buffer.concat(parts).toString('utf8')) as Partial<InsideStatus>;
    // while the daemon starts, the answer is an error of the command
    return Array.isArray(said.components) ? (said as InsideStatus) : undefined;
  } catch {
    return undefined;
  }
}
