import { UserError } from '../../src/kernel/errors.ts';
import type { Command, CommandResult, System } from '../../src/kernel/system.ts';

export interface FakeSystem {
  readonly system: System;
  /** Every command that was run, as one line each. */
  readonly ran: readonly string[];
}

/**
 * A machine with these programs on it; running one is written down.
 * @param answer what a command gives; without an answer it succeeds in silence.
 */
export function fakeSystem(
  programs: readonly string[],
  given: {
    readonly isRoot?: boolean;
    readonly answer?: (line: string, command: Command) => Partial<CommandResult> | undefined;
  } = {},
): FakeSystem {
  const ran: string[] = [];
  return {
    ran,
    system: {
      isRoot: given.isRoot ?? true,
      env: {},
      now: () => new Date(0),
      which: (name) => (programs.includes(name) ? `/usr/bin/${name}` : undefined),
      run: async (command, { accept = [0] } = {}) => {
        const line = [command.file, ...command.args].join(' ');
        ran.push(line);
        const result = { stdout: '', stderr: '', exitCode: 0, ...given.answer?.(line, command) };
        if (accept === 'any' || accept.includes(result.exitCode)) return result;
        throw new UserError(`${command.file} ended with code ${result.exitCode}`);
      },
    },
  };
}
