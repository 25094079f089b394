import { exitCodes, UserError } from '../kernel/errors.ts';
import type { System } from '../kernel/system.ts';
import type { BackendName, Qemu } from './instance.ts';
import { kvmWorks } from './kvm.ts';
import { missingForNspawn } from './nspawn-start.ts';

/** What may be asked for. */
export const backendWishes = ['auto', 'qemu', 'nspawn'] as const;

export type BackendWish = (typeof backendWishes)[number];

export interface BackendChoice {
  readonly backend: BackendName;
  /** Why this one, a sentence for the user. */
  readonly reason: string;
  /** The user should be told before waiting. */
  readonly slow: boolean;
}

const slowWords = 'software emulation: a first boot takes minutes instead of seconds';

/**
 * Chooses what runs the machine. auto: KVM where it really works, else nspawn for root on Linux,
 * else QEMU's software emulation. `qemu` is called only when KVM is worth a probe,
 * which is left out where it gives none.
 * Errors: nspawn asked for and impossible (machineLacks).
 */
export async function chooseBackend(
  wish: BackendWish,
  system: System,
  qemu: () => Promise<Qemu | undefined>,
): Promise<BackendChoice> {
  if (wish === 'nspawn') {
    const obstacle = whyNotNspawn(system);
    if (obstacle === undefined) return { backend: 'nspawn', reason: 'asked for', slow: false };
    throw new UserError(`the native backend can't be used: ${obstacle.problem}`, {
      hint: obstacle.remedy,
      exitCode: exitCodes.machineLacks,
    });
  }
  const kvm = await kvmWorks(system, qemu);
  if (kvm.works) return { backend: 'qemu-kvm', reason: kvm.reason, slow: false };
  if (wish === 'auto' && whyNotNspawn(system) === undefined) {
    return { backend: 'nspawn', reason: `${kvm.reason}; natively it is fast`, slow: false };
  }
  return { backend: 'qemu-tcg', reason: `${kvm.reason}; ${slowWords}`, slow: true };
}

function whyNotNspawn(system: System): { problem: string; remedy: string } | undefined {
  if (process.platform !== 'linux') {
    return { problem: 'it needs Linux', remedy: 'choose --backend qemu' };
  }
  if (!system.isRoot) return { problem: 'it needs root', remedy: 'use sudo, or choose --backend qemu' };
  const missing = missingForNspawn(system.which);
  if (missing.length === 0) return undefined;
  return { problem: `${missing.join(', ')} missing`, remedy: `apt-get install ${missing.join(' ')}` };
}
