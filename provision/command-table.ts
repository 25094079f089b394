import type { Command } from 'commander';
import { type CommandContext, type CommonOptions, commandContext } from './commands/context.ts';

/** Whether somebody is there to be asked. */
export const terminal = process.stdin.isTTY === true && process.stderr.isTTY === true;

type Work<O> = (context: CommandContext, options: O & CommonOptions) => Promise<void>;

/** With the flag every command takes. */
export function withJson(command: Command): Command {
  return command.option('--json', 'as JSON');
}

/** The action of a command without arguments. */
export function run<O = object>(work: Work<O>): (options: O & CommonOptions) => Promise<void> {
  return (options) => work(commandContext(options), options);
}

/** The action of a command with one argument. */
export function runWith<O = object>(
  work: (name: string, context: CommandContext, options: O & CommonOptions) => Promise<void>,
): (name: string, options: O & CommonOptions) => Promise<void> {
  return (name, options) => work(name, commandContext(options), options);
}
