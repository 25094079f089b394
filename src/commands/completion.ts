import { exitCodes, UserError } from '../kernel/errors.ts';
import { didYouMean } from '../kernel/nearest.ts';
import { type CommandOf, type FlagOf, helpFlag } from './command-table.ts';

type Script = (commands: readonly CommandOf[]) => string;

/** Completion for a shell, as a script that the shell reads. @throws UserError for a shell we know nothing of. */
export function completionFor(shell: string, commands: readonly CommandOf[]): string {
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined) {
    throw new UserError(`no completion for ${shell}`, {
      exitCode: exitCodes.usage,
      hint: didYouMean(shell, Object.keys(scripts)) ?? `there are ${Object.keys(scripts).join(', ')}`,
    });
  }
  return script(commands.map((command) => ({ ...command, flags: [...command.flags, helpFlag] })));
}

const wordsOf = ({ flags }: CommandOf): string[] =>
  flags.flatMap(({ name, short }) => [name, ...(short === undefined ? [] : [short])]);
const takingPath = (commands: readonly CommandOf[]): string[] => namesWhere(commands, ({ isPath }) => isPath);
const takingOther = (commands: readonly CommandOf[]): string[] =>
  namesWhere(commands, ({ isPath, takes, values }) => takes !== undefined && !isPath && values.length === 0);

function namesWhere(commands: readonly CommandOf[], is: (flag: FlagOf) => boolean): string[] {
  return [...new Set(commands.flatMap(({ flags }) => flags.filter(is).map(({ name }) => name)))].sort();
}

/** Flags with a list of values, each once. */
function listed(commands: readonly CommandOf[]): Map<string, readonly string[]> {
  return new Map(
    commands.flatMap(({ flags }) =>
      flags.filter(({ values }) => values.length > 0).map(({ name, values }) => [name, values] as const),
    ),
  );
}

const bash: Script = (commands) => `# create-devserver completion bash
_create_devserver() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=create index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case \${COMP_WORDS[index]} in
      ${commands.map(({ name }) => name).join('|')}) command=\${COMP_WORDS[index]}; break ;;
    esac
  done
  COMPREPLY=()
  case $before in
${[...listed(commands)].map(([flag, values]) => `    ${flag}) COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$word")); return ;;`).join('\n')}
    ${takingPath(commands).join('|')}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    ${takingOther(commands).join('|')}) return ;;
  esac
  if [[ $word == -* ]]; then
    case $command in
${commands.map((command) => `      ${command.name}) COMPREPLY=($(compgen -W '${wordsOf(command).join(' ')}' -- "$word")) ;;`).join('\n')}
    esac
    return
  fi
  ((COMP_CWORD == 1)) && COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$word"))
  mapfile -t -O \${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$word")
}
complete -o filenames -F _create_devserver create-devserver
`;

const zsh: Script = (commands) => `#compdef create-devserver
# create-devserver completion zsh
_create_devserver() {
  local -a commands
  commands=(
${commands.map(({ name, text }) => `    ${quoted(`${name}:${text}`)}`).join('\n')}
  )
  local command=create word
  for word in \${words[2,CURRENT-1]}; do
    (( \${commands[(I)$word:*]} )) && { command=$word; break; }
  done
  if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then
    _describe command commands
    _files -/
    return
  fi
  case $command in
${commands.map((command) => `    ${command.name}) _arguments -s ${command.flags.map(zshFlag).join(' ')} '*: :_files' ;;`).join('\n')}
  esac
}
if [[ $funcstack[1] == _create_devserver ]]; then _create_devserver "$@"; else compdef _create_devserver create-devserver; fi
`;

function zshFlag({ name, takes, text, values, isPath }: FlagOf): string {
  const shown = text.replaceAll(/[[\]:\\]/g, ' ');
  const value =
    takes === undefined ? '' : `:${takes.slice(1, -1)}:${values.length > 0 ? `(${values.join(' ')})` : isPath ? '_files' : ''}`;
  return quoted(`*${name}[${shown}]${value}`);
}

const fish: Script = (commands) => {
  const names = commands.map(({ name }) => name).join(' ');
  const first = `not __fish_seen_subcommand_from ${names}`;
  return [
    '# create-devserver completion fish',
    ...commands.map(({ name, text }) => `complete -c create-devserver -n ${quoted(first)} -a ${name} -d ${quoted(text)}`),
    ...commands.flatMap(({ name, flags }) => {
      const when = name === 'create' ? `${first}; or __fish_seen_subcommand_from create` : `__fish_seen_subcommand_from ${name}`;
      return flags.map(
        (flag) =>
          `complete -c create-devserver -n ${quoted(when)} -l ${flag.name.slice(2)}${flag.short === undefined ? '' : ` -s ${flag.short.slice(1)}`}${fishValue(flag)} -d ${quoted(flag.text)}`,
      );
    }),
    '',
  ].join('\n');
};

function fishValue({ takes, values, isPath }: FlagOf): string {
  if (takes === undefined) return '';
  if (values.length > 0) return ` -x -a ${quoted(values.join(' '))}`;
  return isPath ? ' -r' : ' -x';
}

/** A word for a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const scripts: Readonly<Record<string, Script>> = { bash, zsh, fish };
