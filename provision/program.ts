import { Command, Option } from 'commander';
import { ask } from '../src/kernel/ask.ts';
import { type NewProjectOptions, newProject, requestOf } from '../src/kernel/client/newproject.ts';
import { newProjectFlags, newProjectText } from '../src/kernel/client/newproject-flags.ts';
import { exitCodes, UserError } from '../src/kernel/errors.ts';
import { withFlags } from '../src/kernel/flags.ts';
import { addAuthority, listAuthorities, removeAuthority } from './commands/authority.ts';
import {
  checkBackup,
  listBackups,
  makeBackup,
  makeUsbBackup,
  protectBackup,
  pruneBackups,
  showBackup,
  showKey,
} from './commands/backup.ts';
import { type CommandContext, type CommonOptions, commandContext } from './commands/context.ts';
import { listJobs, resumeJobs, runDoctor, showJob } from './commands/job.ts';
import {
  addMembers,
  changeProject,
  deleteProject,
  listProjects,
  removeMembers,
  showProject,
  undeleteProject,
} from './commands/project.ts';
import { giveUpRestore, type RestoreOptions, restore, showRestore } from './commands/restore.ts';
import { showStatus } from './commands/status.ts';
import { addUser, changeUser, listUsers, newPassword, removeUser, showUser, type UserOptions } from './commands/user.ts';
import { importUsers } from './commands/user-import.ts';

const terminal = process.stdin.isTTY === true && process.stderr.isTTY === true;

type Work<O> = (context: CommandContext, options: O & CommonOptions) => Promise<void>;

/** What an administrator types inside the appliance, as one table; the manual pages are made from it. */
export function program(): Command {
  const root = new Command('devserver').description('the appliance from inside').exitOverride();
  root
    .command('status')
    .description('what is there, with state; exit code 0 when everything is ready, 5 when not')
    .option('--json', 'as one JSON value')
    .action(showStatus);
  addNewProject(root);
  addProject(root.command('project').description('the projects'));
  addUserCommands(root.command('user').description('the people'));
  addAuthorityCommands(root.command('authority').description('authorities of the site, trusted towards the outside'));
  addBackup(root.command('backup').description('one file of everything people made, and of every secret'));
  addRestore(root);
  const job = root.command('job').description('what the daemon did');
  withJson(job.command('list')).description('the newest jobs').action(run(listJobs));
  withJson(job.command('show <JOB>'))
    .description('one job with its log')
    .action(runWith((name, context) => showJob(name, context)));
  withJson(job.command('resume')).description('try again what could not be taken back').action(run(resumeJobs));
  withJson(root.command('doctor'))
    .description('look at every resource of every project; exit code 5 when something is not right')
    .option('--fix', 'make again what is derived')
    .action(run<{ fix?: boolean }>((context, options) => runDoctor(options, context)));
  return root;
}

function addNewProject(root: Command): void {
  withFlags(withPlan(root.command('newproject [NAME]')), newProjectFlags)
    .description(newProjectText)
    .action(async (name: string | undefined, options: NewProjectOptions & CommonOptions) => {
      await newProject(requestOf(name, options), options, { ...commandContext(options), terminal, ask });
    });
}

function addBackup(backup: Command): void {
  withJson(backup.command('create'))
    .description('write one, and read it back from the medium')
    .requiredOption('--to <folder>', 'an existing folder')
    .option('--plain', 'not encrypted')
    .option('--keep <number>', 'delete older ones behind it, but for so many')
    .action(run<{ to: string; plain?: boolean; keep?: string }>((context, options) => makeBackup(options, context)));
  withJson(backup.command('usb'))
    .description('write one onto the disk labelled DEVSERVER-BACKUP; the same as usb-backup')
    .option('--keep <number>', 'delete older ones behind it, but for so many')
    .option('--plugged-in', 'as when the disk is plugged in: nothing while there are no projects')
    .action(run<{ pluggedIn?: boolean; keep?: string }>((context, options) => makeUsbBackup(options, context)));
  withJson(backup.command('list <FOLDER>'))
    .description('the backups in a folder')
    .action(runWith((folder, context, options) => listBackups(folder, options, context)));
  withJson(backup.command('show <FILE>'))
    .description('what a backup says of itself')
    .option('--key <file>', 'the key that opens it; otherwise the one of this appliance')
    .action(runWith<{ key?: string }>((file, context, options) => showBackup(file, options, context)));
  withJson(backup.command('verify <FILE>'))
    .description('read every byte of it from the medium, and hold every digest')
    .option('--key <file>', 'the key that opens it; otherwise the one of this appliance')
    .action(runWith<{ key?: string }>((file, context, options) => checkBackup(file, options, context)));
  withJson(backup.command('prune <FOLDER>'))
    .description('delete old backups of this appliance; the newest is verified first and always stays')
    .option('--keep <number>', 'how many stay', '7')
    .option('--key <file>', 'the key that opens them; otherwise the one of this appliance')
    .action(runWith<{ keep?: string; key?: string }>((folder, context, options) => pruneBackups(folder, options, context)));
  withJson(backup.command('protect <FILE>'))
    .description('keep a backup from being pruned')
    .option('--off', 'no longer')
    .action(runWith<{ off?: boolean }>((file, context, options) => protectBackup(file, options, context)));
  withJson(backup.command('key'))
    .description('to whom backups are encrypted')
    .option('--new', 'another key for when the machine is gone; its secret half is shown once')
    .action(run<{ new?: boolean }>((context, options) => showKey(options, context)));
}

function addRestore(root: Command): void {
  withJson(root.command('restore [FILE]'))
    .description('take a backup back: prepared beside the live data, put in place by a restart, kept only when it passes')
    .option('--key <file>', 'the key that opens it; otherwise the one of this appliance')
    .option('--project <name>', 'one project alone, into the appliance as it runs')
    .option('--as <name>', 'another name for it')
    .option('--dry-run', 'read the whole file and say what it would do')
    .option('--no-reboot', 'the next start puts it in place')
    .option('--cancel', 'give up what the next start would put in place')
    .option('--show', 'how the last one went')
    .option('--yes', 'ask nothing')
    .action(async (file: string | undefined, options: RestoreOptions & CommonOptions & { show?: boolean; cancel?: boolean }) => {
      const context = commandContext(options);
      if (options.show === true) return showRestore(context);
      if (options.cancel === true) return giveUpRestore(context);
      if (file === undefined) throw new UserError('which file?', { exitCode: exitCodes.usage, hint: 'devserver restore FILE' });
      await restore(file, options, context, agreed);
    });
}

function addProject(project: Command): void {
  withJson(project.command('list'))
    .description('all projects')
    .option('--deleted', 'those that can still be had back')
    .action(run<{ deleted?: boolean }>((context, options) => listProjects(options, context)));
  withJson(project.command('show <NAME>'))
    .description('one project')
    .action(runWith((name, context) => showProject(name, context)));
  withPlan(project.command('set <NAME>'))
    .description('change title, description or who may read')
    .option('--title <text>', 'as people call it')
    .option('--description <text>', 'what it is about')
    .addOption(new Option('--visibility <who>', 'who may read').choices(['private', 'internal']))
    .action(
      runWith<{ title?: string; description?: string; visibility?: string; dryRun?: boolean }>((name, context, options) => {
        const { title, description, visibility } = options;
        return changeProject(name, { title, description, visibility }, options, context);
      }),
    );
  for (const archived of [true, false])
    withPlan(project.command(`${archived ? 'archive' : 'unarchive'} <NAME>`))
      .description(archived ? 'nobody may write any more' : 'writing is allowed again')
      .action(runWith<{ dryRun?: boolean }>((name, context, options) => changeProject(name, { archived }, options, context)));
  withPlan(project.command('delete <NAME>'))
    .description('delete it; it is kept for 30 days in one file')
    .option('--yes', 'ask nothing')
    .action(
      runWith<{ dryRun?: boolean; yes?: boolean }>((name, context, options) => deleteProject(name, options, context, confirmed)),
    );
  withPlan(project.command('undelete <NAME>'))
    .description('have a deleted project back')
    .action(runWith<{ dryRun?: boolean }>((name, context, options) => undeleteProject(name, options, context)));
  const member = project.command('member').description('who belongs to a project');
  for (const [verb, change] of [
    ['add', addMembers],
    ['remove', removeMembers],
  ] as const)
    withPlan(member.command(`${verb} <NAME> <USER...>`))
      .description(verb === 'add' ? 'USER, or USER:admin, USER:developer, USER:reader' : 'they count as strangers at once')
      .action((name: string, users: string[], options: CommonOptions & { dryRun?: boolean }) =>
        change(name, users, options, commandContext(options)),
      );
}

function addUserCommands(user: Command): void {
  const withPassword = (command: Command): Command =>
    command.option('--password-file <file>', 'the password, from a file or - for standard input; else one is made and shown');
  withJson(user.command('list')).description('all people').action(run(listUsers));
  withJson(user.command('show <NAME>'))
    .description('one person')
    .action(runWith((name, context) => showUser(name, context)));
  withPassword(withPerson(withJson(user.command('add <NAME>'))))
    .description('add a person')
    .action(runWith<UserOptions>((name, context, options) => addUser(name, options, context)));
  withPerson(withJson(user.command('set <NAME>')))
    .description('change a person')
    .option('--no-admin', 'no administrator any more')
    .option('--no-creator', 'may not make projects any more')
    .action(
      runWith<UserOptions>((name, context, { fullName, mail, admin, creator }) =>
        changeUser(name, { fullName, mail, admin, creator }, context),
      ),
    );
  withPassword(withJson(user.command('passwd <NAME>')))
    .description('give a person a new password')
    .action(runWith<UserOptions>((name, context, options) => newPassword(name, options, context)));
  for (const disabled of [true, false])
    withJson(user.command(`${disabled ? 'disable' : 'enable'} <NAME>`))
      .description(disabled ? 'no login any more; everything else is kept' : 'let them log in again')
      .action(runWith((name, context) => changeUser(name, { disabled }, context)));
  withJson(user.command('remove <NAME>'))
    .description('remove a person, also from all projects')
    .action(runWith((name, context) => removeUser(name, context)));
  withJson(user.command('import <FILE>'))
    .description('add the people of a YAML list, all of them or none')
    .action(runWith((file, context) => importUsers(file, context)));
}

function addAuthorityCommands(authority: Command): void {
  withJson(authority.command('add <FILE>'))
    .description('trust the certificates of a file in PEM form; - for standard input')
    .option('--name <name>', 'what to call it; else as its file')
    .action(runWith<{ name?: string }>((file, context, options) => addAuthority(file, options, context)));
  withJson(authority.command('list'))
    .description('all that are trusted beside the public ones')
    .action(run((context) => listAuthorities(context)));
  withJson(authority.command('remove <NAME>'))
    .description('trust it no more')
    .action(runWith((name, context) => removeAuthority(name, context)));
}

function withJson(command: Command): Command {
  return command.option('--json', 'as JSON');
}

function withPlan(command: Command): Command {
  return withJson(command).option('--dry-run', 'show what would be done');
}

function withPerson(command: Command): Command {
  return command
    .option('--full-name <text>', 'as people call them')
    .option('--mail <address>', 'where mail reaches them')
    .option('--admin', 'an administrator of everything')
    .option('--creator', 'may make projects');
}

function run<O = object>(work: Work<O>): (options: O & CommonOptions) => Promise<void> {
  return (options) => work(commandContext(options), options);
}

function runWith<O = object>(
  work: (name: string, context: CommandContext, options: O & CommonOptions) => Promise<void>,
): (name: string, options: O & CommonOptions) => Promise<void> {
  return (name, options) => work(name, commandContext(options), options);
}

async function confirmed(name: string): Promise<boolean> {
  if (!terminal) return false;
  const typed = await ask({ id: 'name', flag: 'yes', message: `Type ${name} to delete it`, kind: 'text', default: '' });
  return typed === name;
}

async function agreed(question: string): Promise<boolean> {
  return terminal && (await ask({ id: 'sure', flag: 'yes', message: question, kind: 'yes-no', default: false })) === true;
}
