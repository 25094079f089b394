import { didYouMean } from '../kernel/nearest.ts';
import { refuseFlags, type WrongFlag } from '../wizard/wrong-flag.ts';
import type { WhyWrong } from './arguments.ts';

/** What is wrong with flags as they are parsed, kept until all of them are. */
export interface ParsedFlags {
  readonly wrong: readonly WrongFlag[];
  /** A parser for commander of the flag's value. */
  readonly taking: (flag: string, whyWrong: WhyWrong) => (text: string) => string;
}

/** Commander ends at the first wrong value; this one notes it and goes on. */
export function parsedFlags(): ParsedFlags {
  const wrong: WrongFlag[] = [];
  return {
    wrong,
    taking: (flag, whyWrong) => (text) => {
      wrong.push(...wrongValue(flag, text, whyWrong));
      return text;
    },
  };
}

/** A flag whose value can't be taken, or none. */
export function wrongValue(flag: string, text: string | undefined, whyWrong: WhyWrong): WrongFlag[] {
  const why = text === undefined ? undefined : whyWrong(text);
  if (why === undefined) return [];
  return [{ flag: `${flag} ${text}`, ...(typeof why === 'string' ? { message: why, hint: undefined } : why) }];
}

/** Of a command of commander, after parsing. */
interface ParsedCommand {
  readonly args: readonly string[];
  readonly options: readonly { readonly long?: string | null | undefined }[];
  readonly name: () => string;
}

/** What a command's parser could not take: instead of the first unknown flag all of them, with all wrong values. */
export function allUnknown(command: ParsedCommand, error: Error & { readonly code: string }, wrong: readonly WrongFlag[]): Error {
  return error.code === 'commander.unknownOption' ? refuseFlags([...unknownFlags(command), ...wrong]) : error;
}

/** Commander leaves in `args` what it knows nothing of; behind `--` stand no flags. */
function unknownFlags(command: ParsedCommand): WrongFlag[] {
  const { args, options } = command;
  const end = args.indexOf('--');
  const flags = args
    .slice(0, end === -1 ? args.length : end)
    .filter((word) => word.length > 1 && word.startsWith('-'))
    .map((word) => word.replace(/=.*$/s, ''));
  const known = ['--help', ...options.flatMap(({ long }) => (typeof long === 'string' ? [long] : []))];
  return [...new Set(flags)].map((flag) => ({
    flag,
    message: 'unknown flag',
    hint: didYouMean(flag, known) ?? `create-devserver help ${command.name()} shows those there are`,
  }));
}
