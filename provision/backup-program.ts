import type { Command } from 'commander';
import { ask } from '../src/kernel/ask.ts';
import { exitCodes, UserError } from '../src/kernel/errors.ts';
import { run, runWith, terminal, withJson } from './command-table.ts';
import { listBackups, makeBackup, makeUsbBackup, protectBackup, pruneBackups, showBackup, showKey } from './commands/backup.ts';
import { makeDueBackup, type ScheduleOptions, scheduleBackups } from './commands/backup-schedule.ts';
import { type CommonOptions, commandContext } from './commands/context.ts';
import { giveUpRestore, type RestoreOptions, restore, showRestore } from './commands/restore.ts';
import { diskPluggedIn, restoreFromUsb } from './commands/usb-disk.ts';
import { checkBackup, rehearse } from './commands/verify-backup.ts';

/** `devserver backup …`. */
export function addBackup(backup: Command): void {
  withJson(backup.command('create'))
    .description('write one, and read it back from the medium')
    .option('--to <place>', 'an existing folder, or a new file NAME.devserver; else where the last one went')
    .option('--plain', 'not encrypted')
    .option('--keep <number>', 'delete older ones behind it, but for so many')
    .action(run<{ to?: string; plain?: boolean; keep?: string }>((context, options) => makeBackup(options, context)));
  withJson(backup.command('usb'))
    .description('write one onto the disk labelled DEVSERVER-BACKUP; the same as usb-backup')
    .option('--keep <number>', 'delete older ones behind it, but for so many')
    .option('--plugged-in', 'as when the disk is plugged in: where there are no projects, what lies on it is offered')
    .action(
      run<{ pluggedIn?: boolean; keep?: string }>((context, options) =>
        options.pluggedIn === true ? diskPluggedIn(context) : makeUsbBackup(options, context),
      ),
    );
  withJson(backup.command('list <FOLDER>'))
    .description('the backups in a folder')
    .action(runWith((folder, context, options) => listBackups(folder, options, context)));
  withJson(backup.command('show <FILE>'))
    .description('what a backup says of itself')
    .option('--key <file>', 'the key that opens it; otherwise the one of this appliance')
    .action(runWith<{ key?: string }>((file, context, options) => showBackup(file, options, context)));
  withJson(backup.command('verify <FILE>'))
    .description('read every byte of it from the medium, and hold every digest')
    .option('--deep', 'restore it into a scratch tree too, and have the programs look at repositories, databases and the rest')
    .option('--key <file>', 'the key that opens it; otherwise the one of this appliance')
    .action(runWith<{ key?: string; deep?: boolean }>((file, context, options) => checkBackup(file, options, context)));
  withJson(backup.command('rehearse'))
    .description('the same with the newest one where the last one went; done by itself every week')
    .action(run((context) => rehearse(context)));
  withJson(backup.command('prune <FOLDER>'))
    .description('delete old backups of this appliance; the newest is verified first and always stays')
    .option('--keep <number>', 'how many stay', '7')
    .option('--key <file>', 'the key that opens them; otherwise the one of this appliance')
    .action(runWith<{ keep?: string; key?: string }>((folder, context, options) => pruneBackups(folder, options, context)));
  withJson(backup.command('protect <FILE>'))
    .description('keep a backup from being pruned')
    .option('--off', 'no longer')
    .action(runWith<{ off?: boolean }>((file, context, options) => protectBackup(file, options, context)));
  withJson(backup.command('schedule'))
    .description('when the nightly backup is made, and where to: where the last one went')
    .option('--at <time>', 'local time, such as 01:30')
    .option('--keep <number>', 'how many stay')
    .option('--off', 'make none by itself')
    .option('--on', 'make them again')
    .action(run<ScheduleOptions>((context, options) => scheduleBackups(options, context)));
  withJson(backup.command('due'))
    .description('the nightly backup, if it is due; devserver-backup.timer runs it')
    .action(run((context) => makeDueBackup(context)));
  withJson(backup.command('key'))
    .description('to whom backups are encrypted')
    .option('--new', 'another key for when the machine is gone; its secret half is shown once')
    .action(run<{ new?: boolean }>((context, options) => showKey(options, context)));
}

/** `devserver restore`. */
export function addRestore(root: Command): void {
  withJson(root.command('restore [FILE]'))
    .description('take a backup back: prepared beside the live data, put in place by a restart, kept only when it passes')
    .option('--usb', 'the newest one on the disk labelled DEVSERVER-BACKUP')
    .option('--key <file>', 'the key that opens it, from a file or - for standard input; otherwise the one of this appliance')
    .option('--project <name>', 'one project alone, into the appliance as it runs')
    .option('--as <name>', 'another name for it')
    .option('--dry-run', 'read the whole file and say what it would do')
    .option('--no-reboot', 'the next start puts it in place')
    .option('--cancel', 'give up what the next start would put in place')
    .option('--show', 'how the last one went')
    .option('--yes', 'ask nothing')
    .action(async (file: string | undefined, options: RestoreOptions & CommonOptions & Others) => {
      const context = commandContext(options);
      if (options.show === true) return showRestore(context);
      if (options.cancel === true) return giveUpRestore(context);
      if (options.usb === true && file !== undefined)
        throw new UserError('a file, or --usb: not both', { exitCode: exitCodes.usage });
      if (options.usb === true) return restoreFromUsb(options, context, agreed);
      if (file === undefined)
        throw new UserError('which file?', { exitCode: exitCodes.usage, hint: 'devserver restore FILE, or --usb' });
      await restore(file, options, context, agreed);
    });
}

interface Others {
  readonly show?: boolean;
  readonly cancel?: boolean;
  readonly usb?: boolean;
}

async function agreed(question: string): Promise<boolean> {
  return terminal && (await ask({ id: 'sure', flag: 'yes', message: question, kind: 'yes-no', default: false })) === true;
}
