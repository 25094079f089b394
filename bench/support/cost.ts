import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** Seconds that a program took: on the wall, and of processors, its own and its children's. */
export interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

/** Runs a program, with what it says in `log`. @throws Error with the end of it when it fails. */
export function costOf(command: readonly string[], log: string, cwd?: string): Cost {
  const said = openSync(log, 'w');
  // bash counts whatever the program and its children used, as the kernel told it
  const timing = 'TIMEFORMAT="%R %U %S"; time "$@" 1>&3 2>&3';
  const ended = spawnSync('bash', ['-c', `exec 3>&1; { ${timing}; } 2>&4`, 'bash', ...command], {
    cwd,
    stdio: ['ignore', said, said, 'ignore', 'pipe'],
    maxBuffer: 1 << 20,
  });
  closeSync(said);
  const [wall, user, system] =
    String(ended.output[4] ?? '')
      .trim()
      .split('\n')
      .at(-1)
      ?.split(' ')
      .map(Number) ?? [];
  if (ended.status !== 0 || wall === undefined || user === undefined || system === undefined)
    throw new Error(`${command[0]} ended with ${ended.status}\n${readFileSync(log, 'utf8').slice(-3000)}`);
  return { wall, cpu: user + system };
}
