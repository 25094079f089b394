import { CommanderError } from 'commander';
import { exitCodes, UserError } from '../src/kernel/errors.ts';
import { program } from './program.ts';

/** The only catch and the only exit of what an administrator types inside the appliance. */
async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    process.exitCode = fail(error);
  }
}

function fail(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  const known = error instanceof UserError;
  const shown = known
    ? error
    : new UserError(error instanceof Error ? (error.stack ?? error.message) : String(error), { exitCode: exitCodes.bug });
  const { message, hint, details, exitCode } = shown;
  if (process.argv.includes('--json'))
    process.stdout.write(
      `${JSON.stringify({ type: 'error', error: { message, ...(hint === undefined ? {} : { hint }), details, exitCode } })}\n`,
    );
  else
    process.stderr.write(
      `${[`devserver: ${message}`, ...details.map((it) => `  ${it}`), ...(hint === undefined ? [] : [hint])].join('\n')}\n`,
    );
  return exitCode;
}

void main();
