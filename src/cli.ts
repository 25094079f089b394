import { Command, CommanderError, Option } from 'commander';
import { address, wholeNumber } from './commands/arguments.ts';
import { runBuild } from './commands/build.ts';
import { runCheck } from './commands/check.ts';
import { type CommandContext, type CommonOptions, makeContext } from './commands/context.ts';
import { runCreate } from './commands/create.ts';
import type { CreateOptions } from './commands/flags.ts';
import { runList } from './commands/list.ts';
import { noSuchCommand, refuseMistypedCommand } from './commands/mistyped.ts';
import { type RemoteOptions, runNewProject } from './commands/newproject.ts';
import { allUnknown, type ParsedFlags, parsedFlags } from './commands/parsed-flags.ts';
import { runDown, runExec, runLogs, runSsh, runStatus } from './commands/running.ts';
import { runUp, type UpOptions } from './commands/up.ts';
import { choose } from './kernel/catalogue/load.ts';
import { newProjectFlags, newProjectText, remoteFlags } from './kernel/client/newproject-flags.ts';
import { diskFull, isDiskFull } from './kernel/disk-full.ts';
import { DataError, exitCodes, UserError } from './kernel/errors.ts';
import { collect, withFlags } from './kernel/flags.ts';
import { refusedPath } from './kernel/system-error.ts';
import { asCalled } from './terminal/called-as.ts';
import { questionsFor } from './wizard/questions.ts';
import { refuseFlags } from './wizard/wrong-flag.ts';

const flags: ParsedFlags = parsedFlags();

const abort = new AbortController();
const interrupted = new UserError('interrupted', { exitCode: exitCodes.interrupted });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => abort.abort(interrupted));
}

/** Why the output ended, told at once: a command that ends by it has nothing to add. */
let outputGone: UserError | undefined;

/** Whoever reads the output went away, or it goes to a disk that is full: what is under way ends as by Ctrl-C. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (abort.signal.aborted) return;
  const isFull = error.code === 'ENOSPC';
  const message = isFull ? 'the output can not be written: the disk is full' : 'nobody reads the output any more';
  const exitCode = isFull ? exitCodes.machineLacks : exitCodes.interrupted;
  process.exitCode = exitCode;
  outputGone = new UserError(message, { exitCode });
  abort.abort(outputGone);
  process.stderr.write(`create-devserver: ${message}\n`);
});
process.stderr.on('error', () => {});

/** The only catch and the only exit of the generator. */
async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    // Ctrl-C ends helpers of ours too; their end may be noticed a moment before the signal itself
    if (!abort.signal.aborted && mayBeInterrupted(error)) await new Promise((resolve) => setTimeout(resolve, 100));
    process.exitCode = fail(error);
  }
}

function program(): Command {
  const root = new Command('create-devserver')
    .description('builds a whole development server as one appliance, and runs it')
    .exitOverride()
    // ours, below, knows what was meant
    .helpCommand(false)
    // fail() tells it
    .configureOutput({ outputError: () => {} })
    .enablePositionalOptions();
  const create = withBuildOptions(withCommon(root.command('create', { isDefault: true })))
    .argument('[DIR]', 'folder of the server')
    // so that a mistyped command with its folder is told as that
    .allowExcessArguments()
    .description('ask, show the plan, write DIR/devserver.yaml, build, offer to boot')
    .option('--yes', 'take the default of every question not answered by a flag')
    .option('--up', 'start it when it is built')
    .option('--with <component>', 'a further component', collect, [])
    .option('--set <component.option=value>', 'an option of a component', collect, [])
    .option('--cpus <number>', 'processors of the machine', '2')
    .option('--url <url>', 'address people will use')
    .option('--timezone <zone>', 'time zone such as Europe/Vienna')
    .option('--authority <file>', "certificate of the site's own authority, trusted towards the outside", collect)
    .action((dir: string | undefined, options: CreateOptions, { args }: Command) => {
      refuseMistypedCommand(args, commandsOf(root));
      return runCreate(dir ?? 'devserver', options, makeContext(options, abort.signal), flags.wrong);
    });
  for (const question of stackQuestions()) create.option(`--${question.flag} <value>`, question.message);
  withBuildOptions(withCommon(root.command('build')))
    .argument('<DIR>')
    .description('build the disk image of DIR/devserver.yaml')
    .action((dir: string, options: CommonOptions) => perform(options, (context) => runBuild(dir, options, context)));
  withCommon(root.command('up'))
    .argument('<DIR>')
    .description('start the machine')
    .addOption(new Option('--backend <name>', 'what runs it').choices(['auto', 'qemu', 'nspawn']).default('auto'))
    .option('--wait', 'return when every component is ready')
    .option('--listen <address>', 'address its ports are published on (default: 127.0.0.1)')
    .option('--https-port <port>', 'port of the front on this computer')
    .option('--http-port <port>', 'port that redirects to it')
    .option('--ssh-port <port>', 'port of ssh')
    .option('--uefi', 'start with UEFI firmware instead of BIOS (QEMU)')
    .option('--usb <image>', 'plug in a USB disk (QEMU)', collect)
    .action((dir: string, options: UpOptions) => perform(options, (context) => runUp(dir, options, context)));
  withCommon(root.command('down'))
    .argument('<DIR>')
    .description('power the machine off')
    .action((dir: string, options: CommonOptions) => perform(options, (context) => runDown(dir, options, context)));
  withCommon(root.command('status'))
    .argument('<DIR>')
    .description('is it running, is it ready')
    .action((dir: string, options: CommonOptions) => perform(options, (context) => runStatus(dir, context)));
  withCommon(root.command('exec'))
    .argument('<DIR>')
    .argument('[command...]')
    .passThroughOptions()
    .description('run a program inside: exec DIR -- COMMAND…')
    .action((dir: string, argv: string[], options: CommonOptions) => perform(options, (context) => runExec(dir, argv, context)));
  withCommon(root.command('ssh'))
    .argument('<DIR>')
    .description('a shell inside')
    .action((dir: string, options: CommonOptions) => perform(options, (context) => runSsh(dir, context)));
  withCommon(root.command('logs'))
    .argument('<DIR>')
    .option('-u, --unit <unit>', 'only this unit')
    .option('-f, --follow', 'go on as lines come')
    .option('-n, --lines <number>', 'how many lines', flags.taking('--lines', wholeNumber(0, 999_999_999)))
    .description('the journal inside')
    .action((dir: string, options: CommonOptions & { unit?: string; follow?: boolean; lines?: string }) =>
      perform(options, (context) => runLogs(dir, options, context)),
    );
  withFlags(withCommon(root.command('newproject')).argument('[NAME]', 'as in its addresses'), [
    ...remoteFlags,
    ...newProjectFlags,
  ])
    .description(`in a running appliance: ${newProjectText}`)
    .action((name: string | undefined, options: RemoteOptions) =>
      perform(options, (context) => runNewProject(name, options, context)),
    );
  withCommon(root.command('check'))
    .description('what this machine lacks, with remedies')
    .action((options: CommonOptions) => perform(options, async (context) => runCheck(context)));
  withCommon(root.command('list'))
    .description('bases and components: versions, licences, support')
    .action((options: CommonOptions) => perform(options, async (context) => runList(context)));
  withCommon(root.command('help'))
    .argument('[command]')
    .description('the flags of a command')
    .action((name: string | undefined) => {
      const command = name === undefined ? root : root.commands.find((it) => it.name() === name);
      if (command === undefined) throw noSuchCommand(name ?? '', commandsOf(root));
      command.help();
    });
  return root;
}

function commandsOf(root: Command): string[] {
  return root.commands.map((command) => command.name());
}

async function perform(options: CommonOptions, work: (context: CommandContext) => Promise<void>): Promise<void> {
  if (flags.wrong.length > 0) throw refuseFlags(flags.wrong);
  const context = makeContext(options, abort.signal);
  await work(context);
}

function withCommon(command: Command): Command {
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

function withBuildOptions(command: Command): Command {
  return command
    .option('--mirror <url>', "package mirror instead of the base's own", flags.taking('--mirror', address))
    .option('--maven-mirror <url>', 'Maven repository instead of the default', flags.taking('--maven-mirror', address))
    .option('--npm-mirror <url>', 'npm registry instead of the default', flags.taking('--npm-mirror', address))
    .option('--pypi-mirror <url>', 'Python package index instead of the default', flags.taking('--pypi-mirror', address));
}

/** Flags of the wizard's questions; faulty data shows when a command runs, not here. */
function stackQuestions(): ReturnType<typeof questionsFor> {
  const { catalogue } = makeContext({}, abort.signal);
  try {
    return questionsFor(catalogue(), choose('stack', catalogue().stacks, 'default'));
  } catch (error) {
    // a running machine can be looked after whatever the data says
    if (error instanceof UserError) return [];
    throw error;
  }
}

function fail(thrown: unknown): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  const { message, hint, details, exitCode, said } = failureOf(thrown);
  if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify({ type: 'error', message, hint, details, exitCode })}\n`);
  process.stderr.write([...said, ...(hint === undefined ? [] : [hint])].map((line) => `${line}\n`).join(''));
  return exitCode;
}

interface Failure {
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly exitCode: number;
  /** The lines for people, but for the hint. */
  readonly said: readonly string[];
}

/** Whether an error may be no more than a helper's end by Ctrl-C: everything was undone, and nothing else is wrong. */
function mayBeInterrupted(error: unknown): boolean {
  if (error instanceof CommanderError) return false;
  if (!(error instanceof UserError)) return true;
  return error.exitCode === exitCodes.failedUndone || (outputGone !== undefined && error.message === interrupted.message);
}

function failureOf(thrown: unknown): Failure {
  const isInterrupted = abort.signal.aborted && mayBeInterrupted(thrown);
  const error = isInterrupted ? abort.signal.reason : withDiskFull(thrown);
  const known = error instanceof UserError ? error : refusedPath(error);
  const headed = (message: string): string => `create-devserver: ${message}`;
  if (known !== undefined) {
    const { message, details, exitCode } = known;
    if (known === outputGone) return { message, hint: undefined, details, exitCode, said: [] };
    const said = known instanceof DataError ? details : [...details.map((detail) => `  ${detail}`), headed(message)];
    return { message, hint: known.hint === undefined ? undefined : asCalled(known.hint), details, exitCode, said };
  }
  const told = { hint: undefined, details: [] };
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '');
    return { ...told, message, exitCode: exitCodes.usage, said: [headed(message)] };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = 'this is a bug of ours, please report it';
  return { ...told, message, details: stack.split('\n'), exitCode: exitCodes.bug, said: [headed(message), stack] };
}

/** A disk that filled up under whatever we did, as that; a build says so itself, with its stage. */
function withDiskFull(error: unknown): unknown {
  const isTold = error instanceof UserError && error.exitCode !== exitCodes.failedUndone;
  return error instanceof Error && isDiskFull(error) && !isTold ? diskFull(error, error.message) : error;
}

await main();
