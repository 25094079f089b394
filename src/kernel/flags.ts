import { type Command, Option } from 'commander';

/** A flag of a command as data, for commands that stand in both command lines. */
export interface Flag {
  /** As commander writes it: `--vcs <kind>`. */
  readonly flags: string;
  readonly text: string;
  readonly choices?: readonly string[];
  /** It may be given several times. */
  readonly many?: boolean;
}

/** Takes a flag's value, and notes one that is none of its choices. */
export type Choosing = (flag: string, choices: readonly string[]) => (text: string) => string;

/** Gives a command these flags. Without `choosing` commander ends at the first value that is none of its flag's choices. */
export function withFlags(command: Command, flags: readonly Flag[], choosing?: Choosing): Command {
  for (const flag of flags) {
    const option = new Option(flag.flags, flag.text);
    if (flag.choices !== undefined) option.choices(flag.choices);
    if (flag.choices !== undefined && choosing !== undefined) option.argParser(choosing(`--${option.name()}`, flag.choices));
    if (flag.many === true) option.argParser(collect);
    command.addOption(option);
  }
  return command;
}

/** For flags that may be given several times: all values. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
