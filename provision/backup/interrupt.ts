import { exitCodes, UserError } from '../../src/kernel/errors.ts';

/** Aborts at Ctrl-C and its like, from now on. */
export function untilInterrupted(): AbortSignal {
  const interrupt = new AbortController();
  // on, not once: whoever else listens would take a signal that nobody listens to any more for the end
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());
  return interrupt.signal;
}

/** The same stream, until it is to end. */
export async function* until(signal: AbortSignal, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    requireGoingOn(signal);
    yield chunk;
  }
}

/** @throws UserError (exit 130) when it is to end. */
export function requireGoingOn(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted();
}

/** What an error is worth: at a terminal Ctrl-C reaches the programs in a pipe too, and they fail first. */
export function orInterrupted(signal: AbortSignal, error: unknown): unknown {
  return signal.aborted ? interrupted(error) : error;
}

function interrupted(cause?: unknown): UserError {
  return new UserError('interrupted; nothing of it is left', { exitCode: exitCodes.interrupted, cause });
}
