import { exitCodes, UserError } from '../kernel/errors.ts';

/** A flag that says what can't be. */
export interface WrongFlag {
  /** As it was typed: `--ci hudsn`. */
  readonly flag: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** All wrong flags as one error, exit 2: a single one as message and hint, several as a list. */
export function refuseFlags(wrong: readonly WrongFlag[]): UserError {
  const [first, ...others] = wrong;
  if (first !== undefined && others.length === 0)
    return new UserError(`${first.flag}: ${first.message}`, {
      exitCode: exitCodes.usage,
      ...(first.hint === undefined ? {} : { hint: first.hint }),
    });
  return new UserError(`${wrong.length} flags are wrong`, {
    exitCode: exitCodes.usage,
    details: wrong.map(({ flag, message, hint }) => `${flag}: ${message}${hint === undefined ? '' : ` (${hint})`}`),
  });
}
