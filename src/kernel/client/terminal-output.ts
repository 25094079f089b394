/** What a command that asks the API tells: steps on standard error, the result on standard output. */
export interface TerminalOutput {
  /** Progress of a job: a line for people, or the event as it is. */
  readonly onLine: (line: Record<string, unknown>) => void;
  /** Clears a step that began and will not end here. */
  readonly endOfLines: () => void;
  readonly result: (text: string, value: Readonly<Record<string, unknown>> | readonly unknown[]) => void;
}

/** This terminal, or a pipe; with `json` all of it as JSON lines on standard output, with `plain` nothing moves. */
export function terminalOutput({ json, plain = false }: { json: boolean; plain?: boolean }): TerminalOutput {
  const live = process.stderr.isTTY === true && !json && !plain;
  const jsonLine = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  return {
    onLine: json ? jsonLine : (line) => showStep(line, live),
    endOfLines: () => void (live && process.stderr.write('\r\u001b[K')),
    result: (text, value) => {
      if (json) jsonLine(Array.isArray(value) ? value : { type: 'result', ...value });
      else process.stdout.write(text === '' || text.endsWith('\n') ? text : `${text}\n`);
    },
  };
}

/** `[ 3/14] make git.repository  0.1 s`; in a terminal the line of a step is written over when it is done. */
function showStep(line: Record<string, unknown>, live: boolean): void {
  if (line.type !== 'step') return;
  const { index, count, verb, key, state, seconds } = line as {
    index: number;
    count: number;
    verb: string;
    key: string;
    state: string;
    seconds: number;
  };
  const number = `[${String(index + 1).padStart(String(count).length)}/${count}]`;
  const text = `${number} ${state.startsWith('undo') ? 'take back: ' : ''}${verb} ${key}`;
  if (state === 'done' || state === 'undone')
    process.stderr.write(`${live ? '\r\u001b[K' : ''}${text}  ${seconds.toFixed(1)} s\n`);
  else if (live) process.stderr.write(`\r\u001b[K${text} …`);
}
