import { readFileSync } from 'node:fs';
import { exitCodes, UserError } from '../kernel/errors.ts';

/** MiB this computer can give without swapping, from Linux; undefined elsewhere. */
export function availableMiB(): number | undefined {
  try {
    const kilobytes = /MemAvailable:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Math.floor(Number(kilobytes) / 1024);
  } catch {
    return undefined;
  }
}

/**
 * Refuses a machine larger than the memory there is: the kernel would kill it in the middle of its work.
 * @throws UserError with exit code 4.
 */
export function requireMemory(wantedMiB: number, available = availableMiB()): void {
  if (available === undefined || wantedMiB <= available) return;
  throw new UserError(`the machine wants ${wantedMiB} MiB memory and this computer has ${available} MiB available`, {
    exitCode: exitCodes.machineLacks,
    hint: 'close programs, or set machine.memory in devserver.yaml lower',
  });
}
