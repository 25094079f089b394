import type { Argument, Command, Option } from 'commander';
import { exitCodes } from '../src/kernel/errors.ts';

/** What a manual page tells beside its commands. */
export interface Manual {
  /** The word people type. */
  readonly name: string;
  readonly summary: string;
  /** One paragraph each. */
  readonly description: readonly string[];
  /** Command lines, each with what it does. */
  readonly examples: readonly (readonly [command: string, what: string])[];
  readonly files: readonly (readonly [path: string, what: string])[];
  /** `newproject(1)` */
  readonly seeAlso: readonly string[];
}

const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'done, or there was nothing to do',
  bug: 'a fault of the appliance; the journal of devserverd has more',
  usage: 'the command line is wrong, or somebody or something of that name is not there, or is there already',
  badData: 'what was asked for can not be; all faults are told at once',
  machineLacks: 'the daemon can not be reached',
  failedUndone: 'it failed and all of it was taken back; also: not everything is ready, or as it should be',
  failedNotUndone: 'it failed and something is left, which is named; or the connection to the daemon broke',
  busy: 'something else is at it, or there were too many requests: try again later',
  interrupted: 'interrupted',
};

/** The page of a command and of all below it, as roff with the macros of man(7). Pure. */
export function manualPage(manual: Manual, command: Command): string {
  const { name, summary, description, examples, files, seeAlso } = manual;
  const below = leaves(command);
  const single = below.length === 1 && below[0] === command;
  return [
    '.\\" Made from the command table; "npm run docs" writes this page anew.',
    `.TH ${name.toUpperCase()} 1 "" "devserver" "devserver"`,
    '.SH NAME',
    `${text(name)} \\- ${text(summary)}`,
    '.SH SYNOPSIS',
    ...(single
      ? [`.B ${text(name)}`, `${operands(command)}[\\fIoption\\fR]...`]
      : [`.B ${text(name)}`, '\\fICOMMAND\\fR [\\fIargument\\fR]... [\\fIoption\\fR]...']),
    '.SH DESCRIPTION',
    ...description.flatMap((paragraph, index) => [...(index === 0 ? [] : ['.PP']), line(paragraph)]),
    ...(single ? ['.SH OPTIONS', ...optionLines(command)] : ['.SH COMMANDS', ...below.flatMap((it) => section(it, command))]),
    '.SH EXIT STATUS',
    ...Object.entries(exitCodes).flatMap(([key, code]) => tagged(`\\fB${code}\\fR`, exitMeanings[key as keyof typeof exitCodes])),
    ...(files.length === 0 ? [] : ['.SH FILES', ...files.flatMap(([path, what]) => tagged(`\\fI${text(path)}\\fR`, what))]),
    '.SH EXAMPLES',
    ...examples.flatMap(([typed, what]) => tagged(`\\fB${text(typed)}\\fR`, what)),
    '.SH SEE ALSO',
    seeAlso.map((page) => text(page).replace(/^(.*)\((\d)\)$/, '\\fB$1\\fR($2)')).join(', '),
    '',
  ].join('\n');
}

/** Commands without commands below them, in the order of the table. */
function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function section(command: Command, root: Command): string[] {
  return [
    `.SS "${words(command, root)} ${operands(command)}"`.replace(/ "$/, '"'),
    line(command.description()),
    ...optionLines(command),
  ];
}

/** `project member add`, without the root's own name. */
function words(command: Command, root: Command): string {
  const above = command.parent === null || command.parent === root ? '' : `${words(command.parent, root)} `;
  return `${above}${text(command.name())}`;
}

/** `NAME [USER]... `, with a space behind. */
function operands({ registeredArguments }: Command): string {
  const shown = (argument: Argument): string => {
    const name = `\\fI${text(argument.name())}\\fR`;
    return `${argument.required ? name : `[${name}]`}${argument.variadic ? '...' : ''} `;
  };
  return registeredArguments.map(shown).join('');
}

function optionLines({ options }: Command): string[] {
  return options.flatMap((option) => tagged(flagLine(option), descriptionOf(option)));
}

/** `--vcs <kind>` with the flag in bold and its value in italics. */
function flagLine({ flags }: Option): string {
  return flags
    .split(/(<[^>]*>|\[[^\]]*\])/)
    .map((part) =>
      /^[<[]/.test(part) ? `\\fI${text(part.slice(1, -1))}\\fR` : part.replaceAll(/-[a-z-]*/g, (it) => `\\fB${text(it)}\\fR`),
    )
    .join('');
}

function descriptionOf({ description, argChoices }: Option): string {
  return argChoices === undefined ? description : `${description}: ${argChoices.join(' or ')}`;
}

function tagged(tag: string, what: string): string[] {
  return ['.TP', tag, line(what)];
}

/** Text that begins a line: a dot or an apostrophe there would be a request. */
function line(plain: string): string {
  return text(plain).replace(/^(?=\.)/, '\\&');
}

/** Text with nothing in it that roff takes for its own. */
function text(plain: string): string {
  const named: Readonly<Record<string, string>> = {
    '\\': '\\e',
    '-': '\\-',
    "'": '\\(aq',
    '"': '\\(dq',
    '`': '\\(ga',
    '^': '\\(ha',
    '~': '\\(ti',
  };
  return plain.replaceAll(
    /[\\'"`^~-]|[^ -~]/gu,
    (it) => named[it] ?? `\\[u${it.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
  );
}
