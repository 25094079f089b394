import { diskFull, isDiskFull } from '../kernel/disk-full.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { BuildLog } from './log.ts';

/**
 * A failed build as the user should see it: which stage, which command, its last lines, and the log.
 * Errors that are our own bugs stay as they are, with their stack.
 */
export function tellFailure(error: unknown, stage: string, log: BuildLog): unknown {
  log.write(`failed in stage ${stage}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  if (isDiskFull(error)) return diskFull(error, `stage ${stage}`, [`log: ${log.file}`]);
  if (!(error instanceof UserError)) return error;
  const { message, hint, exitCode, details } = error;
  if (exitCode === exitCodes.interrupted) return error;
  for (const line of details) log.write(`  ${line}`);
  return new UserError(`${stage}: ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    exitCode,
    details: [...details, `log: ${log.file}`],
    cause: error,
  });
}
