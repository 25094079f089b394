import { Command } from 'commander';
import { backendOption, outputOption, port, withBuildOptions, withCommon, withRegistries } from './cli-options.ts';
import { address, oneOf, ownAddress, wholeNumber } from './commands/arguments.ts';
import { type BaseCheckOptions, runBase } from './commands/base-check.ts';
import { type BuildOptions, runBuild } from './commands/build.ts';
import { type CacheOptions, runCache } from './commands/cache.ts';
import { runCheck } from './commands/check.ts';
import { commandTable } from './commands/command-table.ts';
import { completionFor } from './commands/completion.ts';
import { type CommandContext, type CommonOptions, makeContext } from './commands/context.ts';
import { runCreate } from './commands/create.ts';
import { runExport } from './commands/export.ts';
import type { CreateOptions } from './commands/flags.ts';
import { type InstallOptions, runInstall } from './commands/install.ts';
import { runList } from './commands/list.ts';
import { runOutdated, runUpgradeLock } from './commands/lock.ts';
import { manualPage } from './commands/manual-page.ts';
import { noSuchCommand, refuseMistypedCommand } from './commands/mistyped.ts';
import { type RemoteOptions, runNewProject } from './commands/newproject.ts';
import { parsedFlags } from './commands/parsed-flags.ts';
import { runDown, runExec, runLogs, runSsh, runStatus } from './commands/running.ts';
import type { SshKeyOptions } from './commands/ssh-keys.ts';
import { runUp, type UpOptions } from './commands/up.ts';
import { runVerifyBackup } from './commands/verify-backup.ts';
import { choose } from './kernel/catalogue/load.ts';
import { newProjectFlags, newProjectText, remoteFlags } from './kernel/client/newproject-flags.ts';
import { UserError } from './kernel/errors.ts';
import { collect, withFlags } from './kernel/flags.ts';
import { questionsFor } from './wizard/questions.ts';
import { refuseFlags } from './wizard/wrong-flag.ts';

/**
 * The generator's commands and their flags. A command line that is none throws a CommanderError.
 * @param root the generator's own folder.
 * @param word the first of the command line, when there is one: most commands need no flags of the components
 */
export function program(signal: AbortSignal, root: string, word?: string): Command {
  const flags = parsedFlags();
  const perform = async (options: CommonOptions, work: (context: CommandContext) => Promise<void>): Promise<void> => {
    if (flags.wrong.length > 0) throw refuseFlags(flags.wrong);
    await work(makeContext(options, signal, root));
  };
  const generator = new Command('create-devserver')
    .description('builds a whole development server as one appliance, and runs it')
    .exitOverride()
    // ours, below, knows what was meant
    .helpCommand(false)
    // fail() tells it
    .configureOutput({ outputError: () => {} })
    .enablePositionalOptions();
  const create = withBuildOptions(flags, withCommon(flags, generator.command('create', { isDefault: true })))
    .argument('[DIR]', 'folder of the server')
    // so that a mistyped command with its folder is told as that
    .allowExcessArguments()
    .description('ask, show the plan, write DIR/devserver.yaml, build, offer to boot')
    .option('--yes', 'take the default of every question not answered by a flag')
    .option('--up', 'start it when it is built')
    .option('--no-build', 'write the answers alone, for `install` or a later `build`')
    .option('--with <component>', 'a further component', collect, [])
    .option('--set <component.option=value>', 'an option of a component', collect, [])
    .option('--cpus <number>', 'processors of the machine (2)')
    .option('--config <file>', 'take the answers of this file and ask nothing')
    .option('--url <url>', 'address people will use')
    .addOption(outputOption(flags))
    .option('--timezone <zone>', 'time zone such as Europe/Vienna')
    .option('--authority <file>', "certificate of the site's own authority, trusted towards the outside", collect)
    .option('--ssh-key <file>', 'public keys that may log in as root', collect)
    .action((dir: string | undefined, options: CreateOptions & SshKeyOptions, { args }: Command) => {
      refuseMistypedCommand(args, commandsOf(generator));
      return runCreate(dir ?? 'devserver', options, makeContext(options, signal, root), flags.wrong);
    });
  withBuildOptions(flags, withCommon(flags, generator.command('build')))
    .argument('<DIR>')
    .description('build the disk image of DIR/devserver.yaml')
    .addOption(outputOption(flags))
    .option('--sign <key>', 'sign what was built with this ssh key (ssh-keygen -Y)')
    .option('--frozen', 'of what DIR/devserver.lock says, or not at all')
    .action((dir: string, options: BuildOptions) => perform(options, (context) => runBuild(dir, options, context)));
  withBuildOptions(flags, withCommon(flags, generator.command('export')))
    .argument('<DIR>')
    .argument('<FILE>')
    .description('everything that a build of DIR needs in one file, for a machine without network')
    .option('--frozen', 'of what DIR/devserver.lock says, or not at all')
    .action((dir: string, file: string, options: BuildOptions) =>
      perform(options, (context) => runExport(dir, file, options, context)),
    );
  withBuildOptions(flags, withCommon(flags, generator.command('outdated')))
    .argument('<DIR>')
    .description('which packages of DIR/devserver.lock have newer versions, security first')
    .action((dir: string, options: CommonOptions) => perform(options, (context) => runOutdated(dir, context)));
  withBuildOptions(flags, withCommon(flags, generator.command('upgrade-lock')))
    .argument('<DIR>')
    .description('take the newest packages into DIR/devserver.lock; the next build is of them')
    .action((dir: string, options: CommonOptions) => perform(options, (context) => runUpgradeLock(dir, options, context)));
  withCommon(flags, generator.command('up'))
    .argument('<DIR>')
    .description('start the machine')
    .addOption(backendOption(flags))
    .option('--wait', 'return when every component is ready')
    .option('--listen <address>', 'address its ports are published on (default: 127.0.0.1)', flags.taking('--listen', ownAddress))
    .option('--https-port <port>', 'port of the front on this computer', flags.taking('--https-port', port))
    .option('--http-port <port>', 'port that redirects to it', flags.taking('--http-port', port))
    .option('--ssh-port <port>', 'port of ssh', flags.taking('--ssh-port', port))
    .option('--uefi', 'start with UEFI firmware instead of BIOS (QEMU)')
    .option('--usb <image>', 'plug in a USB disk (QEMU)', collect)
    .option('--restore-key <file>', 'the key of a backup on it, which a new machine takes back by itself')
    .action((dir: string, options: UpOptions) => perform(options, (context) => runUp(dir, options, context)));
  withRegistries(flags, withCommon(flags, generator.command('install')))
    .argument('<DIR>')
    .description('make a minimal machine, which has its own system, the server of DIR')
    .option('--ssh <user@host>', 'where: a name that ssh knows; as root, or with sudo')
    .option('--port <port>', 'where its ssh answers', flags.taking('--port', port))
    .option('--identity <key>', 'private key to log in with, in place of those ssh would try')
    .option('--host-key <fingerprint>', 'SHA256:… of a machine that ssh does not know yet')
    .action((dir: string, options: InstallOptions) => perform(options, (context) => runInstall(dir, options, context)));
  withCommon(flags, generator.command('down'))
    .argument('<DIR>')
    .description('power the machine off')
    .action((dir: string, options: CommonOptions) => perform(options, (context) => runDown(dir, options, context)));
  withCommon(flags, generator.command('status'))
    .argument('<DIR>')
    .description('is it running, is it ready')
    .action((dir: string, options: CommonOptions) => perform(options, (context) => runStatus(dir, context)));
  withCommon(flags, generator.command('exec'))
    .argument('<DIR>')
    .argument('[command...]')
    .passThroughOptions()
    .description('run a program inside: exec DIR -- COMMAND…')
    .action((dir: string, argv: string[], options: CommonOptions) => perform(options, (context) => runExec(dir, argv, context)));
  withCommon(flags, generator.command('ssh'))
    .argument('<DIR>')
    .description('a shell inside')
    .action((dir: string, options: CommonOptions) => perform(options, (context) => runSsh(dir, context)));
  withCommon(flags, generator.command('logs'))
    .argument('<DIR>')
    .option('-u, --unit <unit>', 'only this unit')
    .option('-f, --follow', 'go on as lines come')
    .option('-n, --lines <number>', 'how many lines', flags.taking('--lines', wholeNumber(0, 999_999_999)))
    .description('the journal inside')
    .action((dir: string, options: CommonOptions & { unit?: string; follow?: boolean; lines?: string }) =>
      perform(options, (context) => runLogs(dir, options, context)),
    );
  const newproject = withCommon(flags, generator.command('newproject')).argument('[NAME]', 'as in its addresses');
  withFlags(newproject, [...remoteFlags, ...newProjectFlags], (flag, choices) => flags.taking(flag, oneOf(choices)))
    .description(`in a running appliance: ${newProjectText}`)
    .action((name: string | undefined, options: RemoteOptions) =>
      perform(options, (context) => runNewProject(name, options, context)),
    );
  withCommon(flags, generator.command('check'))
    .description('what this machine lacks, with remedies')
    .action((options: CommonOptions) => perform(options, async (context) => runCheck(context)));
  withCommon(flags, generator.command('base'))
    .argument('<WHAT>', 'check')
    .argument('<NAME>', 'of the base')
    .description('whether the archives have everything that a base and a stack need, before anything is built')
    .option('--stack <name>', 'another stack than the default one')
    .option('--mirror <url>', "package mirror instead of the base's own", flags.taking('--mirror', address))
    .action((what: string, name: string, options: BaseCheckOptions & CommonOptions) =>
      perform(options, (context) => runBase(what, name, options, context)),
    );
  withCommon(flags, generator.command('cache'))
    .argument('<WHAT>', 'list, or prune')
    .description('what builds keep for the next one: how much it is, and away with what none has taken for a while')
    .option(
      '--days <number>',
      'prune what no build has taken for so many days (30)',
      flags.taking('--days', wholeNumber(1, 3650)),
    )
    .action((what: string, options: CacheOptions) => perform(options, (context) => runCache(what, options, context)));
  withCommon(flags, generator.command('list'))
    .description('bases and components: versions, licences, support')
    .action((options: CommonOptions) => perform(options, async (context) => runList(context)));
  withCommon(flags, generator.command('verify-backup'))
    .argument('<FILE>')
    .description('is this backup of an appliance whole? no appliance is needed')
    .option('--key <file>', 'a key that opens it: the disaster key, or the one of its appliance')
    .action((file: string, options: CommonOptions & { key?: string }) =>
      perform(options, (context) => runVerifyBackup(file, options, context)),
    );
  withCommon(flags, generator.command('completion'))
    .argument('<SHELL>', 'bash, zsh or fish')
    .description('completion of commands and flags, as a script for the shell')
    .action((shell: string, options: CommonOptions) =>
      perform(options, async ({ output }) => {
        const text = completionFor(shell, commandTable(generator.commands));
        output.result(text, { text });
      }),
    );
  withCommon(flags, generator.command('man'))
    .description('the manual page, in the language of man(7)')
    .action((options: CommonOptions) =>
      perform(options, async ({ output }) => {
        const text = manualPage(commandTable(generator.commands));
        output.result(text, { text });
      }),
    );
  withCommon(flags, generator.command('help'))
    .argument('[command]')
    .description('the flags of a command')
    .action((name: string | undefined) => {
      const command = name === undefined ? generator : generator.commands.find((it) => it.name() === name);
      if (command === undefined) throw noSuchCommand(name ?? '', commandsOf(generator));
      command.help();
    });
  if (!commandsOf(generator).includes(word ?? '') || tellsOfCreate.includes(word ?? ''))
    for (const question of stackQuestions(signal, root)) create.option(`--${question.flag} <value>`, question.message);
  return generator;
}

/** Commands that need to know the flags of `create`; the others begin without reading any component. */
const tellsOfCreate = ['create', 'help', 'completion', 'man'];

function commandsOf(generator: Command): string[] {
  return generator.commands.map((command) => command.name());
}

/** Flags of the wizard's questions; faulty data shows when a command runs, not here. */
function stackQuestions(signal: AbortSignal, root: string): ReturnType<typeof questionsFor> {
  const { catalogue } = makeContext({}, signal, root);
  try {
    return questionsFor(catalogue(), choose('stack', catalogue().stacks, 'default'));
  } catch (error) {
    // a running machine can be looked after whatever the data says
    if (error instanceof UserError) return [];
    throw error;
  }
}
