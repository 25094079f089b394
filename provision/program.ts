import { Command, Option } from 'commander';
import { ask } from '../src/kernel/ask.ts';
import { type NewProjectOptions, newProject, requestOf } from '../src/kernel/client/newproject.ts';
import { newProjectFlags, newProjectText } from '../src/kernel/client/newproject-flags.ts';
import { withFlags } from '../src/kernel/flags.ts';
import { addBackup, addRestore } from './backup-program.ts';
import { run, runWith, terminal, withJson } from './command-table.ts';
import { addAuthority, listAuthorities, removeAuthority } from './commands/authority.ts';
import { type CommonOptions, commandContext } from './commands/context.ts';
import { listJobs, resumeJobs, runDoctor, showJob } from './commands/job.ts';
import { dropMail, type MailOptions, sendDueMail, setMail, showMail, testMail } from './commands/mail.ts';
import {
  addMembers,
  changeProject,
  deleteProject,
  freeNames,
  listProjects,
  removeMembers,
  renameProject,
  showProject,
  undeleteProject,
} from './commands/project.ts';
import { showStatus } from './commands/status.ts';
import { addUser, changeUser, listUsers, newPassword, removeUser, showUser, type UserOptions } from './commands/user.ts';
import { importUsers } from './commands/user-import.ts';

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
  addMail(root.command('mail').description('mail to administrators about what needs attention'));
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
  withPlan(project.command('rename <NAME> <NEW>'))
    .description('give it another name; addresses with the one it had lead to it')
    .action((name: string, wanted: string, options: CommonOptions & { dryRun?: boolean }) =>
      renameProject(name, wanted, options, commandContext(options)),
    );
  withPlan(project.command('free <NAME> <OLD...>'))
    .description('give up names it had before: others may have them, and addresses with them lead nowhere')
    .action((name: string, old: string[], options: CommonOptions & { dryRun?: boolean }) =>
      freeNames(name, old, options, commandContext(options)),
    );
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

function addMail(mail: Command): void {
  withJson(mail.command('set'))
    .description('by which relay warnings are sent, and to whom')
    .requiredOption('--relay <host>', 'HOST or HOST:PORT')
    .requiredOption('--to <address...>', 'who gets them')
    .option('--from <address>', 'else devserver@ and the host name')
    .addOption(new Option('--tls <how>', 'none: readable on the way').choices(['starttls', 'tls', 'none']).default('starttls'))
    .option('--user <name>', 'a login at the relay')
    .option('--password-file <file>', 'its password, from a file or - for standard input')
    .action(run<MailOptions>((context, options) => setMail(options, context)));
  withJson(mail.command('show')).description('the settings').action(run(showMail));
  withJson(mail.command('test')).description('send one now').action(run(testMail));
  withJson(mail.command('off')).description('send none any more').action(run(dropMail));
  withJson(mail.command('due'))
    .description('tell what is new, or goes on for a week; devserver-mail.timer runs it')
    .action(run(sendDueMail));
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

async function confirmed(name: string): Promise<boolean> {
  if (!terminal) return false;
  const typed = await ask({ id: 'name', flag: 'yes', message: `Type ${name} to delete it`, kind: 'text', default: '' });
  return typed === name;
}
