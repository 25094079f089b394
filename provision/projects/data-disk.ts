import { accessSync, constants, statfsSync } from 'node:fs';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';

/** Below this nothing new is begun: what runs, and what is to be taken back, needs some of it. */
const leastMiB = 256;

/**
 * That changes can be begun on the file system of `folder`; what only makes room may use the last of it.
 * @throws UserError (exit 4) when it is read-only or nearly full.
 */
export function requireDataDisk(folder: string, makesRoom: boolean): void {
  accessSync(folder, constants.W_OK);
  const { bavail, bsize } = statfsSync(folder);
  const free = Math.floor((bavail * bsize) / 1024 ** 2);
  if (makesRoom || free >= leastMiB) return;
  throw new UserError(`the data disk is nearly full: ${free} MiB are free, ${leastMiB} MiB are needed`, {
    exitCode: exitCodes.machineLacks,
    hint: 'delete something, or give the machine a larger data disk',
  });
}
