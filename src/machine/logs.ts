import { type ExecOptions, execInMachine } from './exec.ts';

export interface LogOptions extends Pick<ExecOptions, 'onStdout' | 'onStderr' | 'signal'> {
  readonly unit?: string;
  /** Go on as lines come; otherwise end behind the last one. */
  readonly follow?: boolean;
  readonly lines?: number;
}

/** Shows the machine's journal, the last 100 lines unless told. Returns journalctl's exit code. */
export async function showLogs(dir: string, options: LogOptions = {}): Promise<number> {
  return execInMachine(dir, logCommand(options), options);
}

/** journalctl's argument list for these options. */
export function logCommand({ unit, follow, lines = 100 }: LogOptions): readonly string[] {
  return [
    'journalctl',
    '--no-pager',
    `--lines=${lines}`,
    ...(follow === true ? ['--follow'] : []),
    ...(unit === undefined ? [] : [`--unit=${unit}`]),
  ];
}
