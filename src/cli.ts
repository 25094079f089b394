import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { OutputGone, runCli } from './cli-run.ts';
import { exitCodes, UserError } from './kernel/errors.ts';

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => abort.abort(new UserError('interrupted', { exitCode: exitCodes.interrupted })));
}

/** Whoever reads the output went away, or it goes to a disk that is full: what is under way ends as by Ctrl-C. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (abort.signal.aborted) return;
  const isFull = error.code === 'ENOSPC';
  const message = isFull ? 'the output can not be written: the disk is full' : 'nobody reads the output any more';
  const exitCode = isFull ? exitCodes.machineLacks : exitCodes.interrupted;
  process.exitCode = exitCode;
  abort.abort(new OutputGone(message, { exitCode }));
  process.stderr.write(`create-devserver: ${message}\n`);
});
process.stderr.on('error', () => {});

/** The generator's own folder: the bundle lies in build/, beside src/ and stacks/. */
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

// the only exit of the generator; a command may have set an exit code itself
const exitCode = await runCli(process.argv.slice(2), { signal: abort.signal, root });
if (exitCode !== undefined) process.exitCode = exitCode;
