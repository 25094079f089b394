import { release } from '../kernel/release.ts';
import { type CommandOf, type FlagOf, helpFlag } from './command-table.ts';

/** create-devserver(1) in man(7)'s language, of the commands and flags there are. */
export function manualPage(commands: readonly CommandOf[]): string {
  const common = commonFlags(commands);
  return [
    `.TH CREATE-DEVSERVER 1 "" "create-devserver ${release}" "User Commands"`,
    '.SH NAME',
    'create\\-devserver \\- builds a whole development server as one appliance, and runs it',
    '.SH SYNOPSIS',
    '.B create\\-devserver',
    '[\\fICOMMAND\\fR] [\\fIFLAGS\\fR] [\\fIARGUMENTS\\fR]',
    '.SH DESCRIPTION',
    'Without a command it is',
    '.BR create :',
    'it asks, shows the plan, writes \\fIDIR\\fR/devserver.yaml, builds the disk image and offers to boot it.',
    '.SH COMMANDS',
    ...commands.flatMap((command) => [
      '.TP',
      [`.B ${escaped(command.name)}`, ...command.args.map((arg) => `\\fI${escaped(arg)}\\fR`)].join(' '),
      sentence(command.text),
      ...command.flags.filter(({ name }) => !common.has(name)).flatMap((flag) => ['.RS', ...flagLines(flag), '.RE']),
    ]),
    '.SH FLAGS OF EVERY COMMAND',
    ...[...common.values(), helpFlag].flatMap(flagLines),
    '.SH EXIT STATUS',
    ...exits.flatMap(([code, text]) => ['.TP', `.B ${code}`, text]),
    '.SH ENVIRONMENT',
    '.TP',
    '.B DEVSERVER_CACHE',
    'Folder of downloads and layers, unless \\-\\-cache names one.',
    '.TP',
    '.B NO_COLOR',
    'Without colour when it is set.',
    '',
  ].join('\n');
}

/** Flags that all commands have but those that have none of them. */
function commonFlags(commands: readonly CommandOf[]): Map<string, FlagOf> {
  const [first, ...others] = commands.filter(({ flags }) => flags.some(({ name }) => name === '--json'));
  const shared = first?.flags.filter(({ name }) => others.every(({ flags }) => flags.some((flag) => flag.name === name))) ?? [];
  return new Map(shared.map((flag) => [flag.name, flag]));
}

function flagLines({ name, short, takes, text }: FlagOf): string[] {
  const names = [...(short === undefined ? [] : [short]), name].map((it) => `\\fB${escaped(it)}\\fR`).join(', ');
  return ['.TP', `${names}${takes === undefined ? '' : ` \\fI${escaped(takes.slice(1, -1))}\\fR`}`, sentence(text)];
}

/** As docs/exit-codes.md has them in full. */
const exits = [
  ['0', 'It is done.'],
  ['2', 'The command line, or an answer on it, is wrong; nothing was done.'],
  ['3', 'A file that was read is wrong; nothing was done.'],
  ['4', 'This machine lacks something, which is named.'],
  ['5', 'Something failed; nothing is left of it.'],
  ['6', 'Something failed, and what is left of it is named.'],
  ['7', 'Another command works on the same machine.'],
  ['130', 'It was interrupted.'],
] as const;

const sentence = (text: string): string => {
  const whole = escaped(text.charAt(0).toUpperCase() + text.slice(1)) + (/[.?!]$/.test(text) ? '' : '.');
  // a line that begins with one of these would be a request
  return /^[.']/.test(whole) ? `\\&${whole}` : whole;
};
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/[^\x20-\x7e]/gu, (it) => `\\[u${(it.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`);
