import { type Command, Option } from 'commander';
import { address, oneOf, wholeNumber } from './commands/arguments.ts';
import { allUnknown, type ParsedFlags } from './commands/parsed-flags.ts';
import { collect } from './kernel/flags.ts';
import { backendWishes } from './machine/backend.ts';
import { outputFormats } from './plan/output-formats.ts';

/** Which formats; may stand several times. */
export function outputOption(flags: ParsedFlags): Option {
  const take = flags.taking('--output', oneOf(outputFormats));
  return new Option('--output <format>', 'what to make of the disk; again for more')
    .choices(outputFormats)
    .argParser((value: string, before: string[] | undefined) => [...(before ?? []), take(value)]);
}

/** A port as people type it. */
export const port = wholeNumber(1, 65_535);

/** What runs a machine. */
export function backendOption(flags: ParsedFlags): Option {
  const option = new Option('--backend <name>', 'what runs it').choices(backendWishes).default('auto');
  return option.argParser(flags.taking('--backend', oneOf(backendWishes)));
}

/** Flags of every command. */
export function withCommon(flags: ParsedFlags, command: Command): Command {
  return command
    .exitOverride((error) => {
      throw allUnknown(command, error, flags.wrong);
    })
    .option('--json', 'events and result as JSON lines')
    .option('--plain', 'no moving display')
    .option('--dry-run', 'show what would be done')
    .option('--stacks <folder>', 'a folder with more components', collect, [])
    .option('--cache <folder>', 'where downloads and layers are kept');
}

/** Flags of every command that fetches artifacts. */
export function withRegistries(flags: ParsedFlags, command: Command): Command {
  return command
    .option('--maven-mirror <url>', 'Maven repository instead of the default', flags.taking('--maven-mirror', address))
    .option('--npm-mirror <url>', 'npm registry instead of the default', flags.taking('--npm-mirror', address))
    .option('--pypi-mirror <url>', 'Python package index instead of the default', flags.taking('--pypi-mirror', address));
}

/** Flags of every command that fetches packages too. */
export function withBuildOptions(flags: ParsedFlags, command: Command): Command {
  const mirror = flags.taking('--mirror', address);
  return withRegistries(flags, command.option('--mirror <url>', "package mirror instead of the base's own", mirror));
}
