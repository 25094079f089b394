import { existsSync } from 'node:fs';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { nearest } from '../kernel/nearest.ts';

/**
 * `create-devserver statsu` is no wish for a server in ./statsu, and `create-devserver --json status x` none for one in ./status.
 * @param words what stands on the command line without being a flag's; a wizard takes one at most.
 * @throws UserError (exit 2) naming the command the first is, or is nearly spelt like.
 */
export function refuseMistypedCommand(words: readonly string[], commands: readonly string[]): void {
  const [dir, ...others] = words;
  if (dir === undefined) return;
  const usage = (message: string, hint: string): UserError => new UserError(message, { exitCode: exitCodes.usage, hint });
  if (dir === '') throw usage('the folder of the server has no name', 'create-devserver ./server');
  if (commands.includes(dir) && !existsSync(dir))
    throw usage(`flags stand behind the command ${dir}`, `create-devserver ${[dir, ...others].join(' ')} --FLAG`);
  const meant = dir.length < 3 || dir.includes('/') || existsSync(dir) ? undefined : nearest(dir, commands);
  if (meant !== undefined)
    throw usage(
      `there is no command ${dir}; did you mean ${meant}?`,
      `for a server in a folder of that name: create-devserver create ./${dir}`,
    );
  if (others.length > 0)
    throw usage(
      `one folder is enough, there are ${words.length} words: ${words.join(' ')}`,
      `or is one of them a command? There are ${commands.join(', ')}`,
    );
}

/** `help NAME` of a command there is none of. */
export function noSuchCommand(name: string, commands: readonly string[]): UserError {
  const meant = nearest(name, commands);
  return new UserError(`there is no command ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`, {
    exitCode: exitCodes.usage,
    hint: `there are ${commands.join(', ')}`,
  });
}
