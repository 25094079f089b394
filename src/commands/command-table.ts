/** A flag of a command. */
export interface FlagOf {
  /** `--cpus`. */
  readonly name: string;
  readonly short: string | undefined;
  /** What it takes, as `<number>`; nothing for a switch. */
  readonly takes: string | undefined;
  readonly text: string;
  /** Values there are, where only some can be taken. */
  readonly values: readonly string[];
  /** It names a file or a folder. */
  readonly isPath: boolean;
}

/** A command of the generator. */
export interface CommandOf {
  readonly name: string;
  /** As in a synopsis: `<DIR>`, `[command...]`. */
  readonly args: readonly string[];
  readonly text: string;
  readonly flags: readonly FlagOf[];
}

/** Of commander's commands, what a table needs. */
export interface ParserCommand {
  readonly name: () => string;
  readonly description: () => string;
  readonly options: readonly {
    readonly flags: string;
    readonly long?: string | null | undefined;
    readonly short?: string | null | undefined;
    readonly description: string;
    readonly argChoices?: readonly string[] | undefined;
  }[];
  readonly registeredArguments: readonly {
    readonly name: () => string;
    readonly required: boolean;
    readonly variadic: boolean;
  }[];
}

/** The commands and flags as data, from the parser itself: completion and the manual page can tell nothing else. */
export function commandTable(commands: readonly ParserCommand[]): CommandOf[] {
  return commands.map((command) => ({
    name: command.name(),
    text: command.description(),
    args: command.registeredArguments.map((argument) => {
      const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    }),
    flags: command.options.map(({ flags, long, short, description, argChoices }) => {
      const takes = /<[^>]+>/.exec(flags)?.[0];
      return {
        name: long ?? flags,
        short: short ?? undefined,
        takes,
        text: description,
        values: argChoices ?? [],
        isPath: takes !== undefined && /file|folder|image|key/.test(takes),
      };
    }),
  }));
}

/** Every command's flag besides its own. */
export const helpFlag: FlagOf = { name: '--help', short: '-h', takes: undefined, text: 'the flags', values: [], isPath: false };
