import { vi } from 'vitest';
import { runCli } from '../../src/cli-run.ts';
import { type CliResult, checkout } from '../e2e/support/cli.ts';

/** `npm start -- ARGS` without a terminal, as `cli` runs it, but inside this process, which spares half a second. */
export async function cliInside(args: readonly string[]): Promise<CliResult> {
  const out = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((part) => {
      out[stream] += String(part);
      return true;
    }),
  );
  const { exitCode: before } = process;
  process.exitCode = undefined;
  try {
    const failed = await runCli(args, { signal: new AbortController().signal, root: checkout });
    return { exitCode: failed ?? Number(process.exitCode ?? 0), ...out };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
