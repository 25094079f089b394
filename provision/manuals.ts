import type { Command } from 'commander';
import { type Manual, manualPage } from './manual.ts';

const devserver: Manual = {
  name: 'devserver',
  summary: 'look after a development server, from inside',
  description: [
    'Lists and changes projects and people, tells what the daemon did and how everything is.',
    'It asks the daemon devserverd over its control socket, so it has to be run as root.',
    'Every command takes --help; devserver help COMMAND shows the same.',
  ],
  examples: [
    ['devserver user add ann --creator', 'adds a person who may make projects, and shows a first password, once'],
    ['devserver project member add shop bob:reader', 'lets bob read the project shop, from the next request on'],
    ['devserver doctor --fix', 'makes again what is derived and missing, and reports missing data'],
  ],
  files: [
    ['/run/devserver/control.sock', 'the socket of the daemon, for root alone'],
    ['/srv/system/devserverd/projects', 'what each project is, one file each'],
    ['/srv/system/deleted', 'deleted projects, kept for 30 days'],
  ],
  seeAlso: ['newproject(1)', 'journalctl(1)'],
};

const newproject: Manual = {
  name: 'newproject',
  summary: 'make a project: all of it, or nothing',
  description: [
    'Makes repository, tracker, builds, Maven repository and permissions of a new project, and ends with their addresses. When a part fails, everything is taken back.',
    'Called without a name at a terminal it asks. Elsewhere a missing name is an error.',
    'It is the same as devserver newproject, and has to be run as root. Members of the group creators make projects from their own computers: create-devserver newproject --server URL.',
  ],
  examples: [
    [
      'newproject shop --title "The shop" --member ann:admin --member bob',
      'makes the project shop with git, where ann administers and bob develops',
    ],
    ['newproject shop --vcs svn --no-ci --dry-run', 'shows what would be done'],
    [
      'newproject --file project.yaml',
      'takes name, vcs, title, description, members, visibility, template, maven, ci and protectBranch from a file',
    ],
  ],
  files: [
    ['/usr/share/devserver/templates', 'templates of the first commit'],
    ['/srv/system/templates', "the site's own; one of the same name wins"],
  ],
  seeAlso: ['devserver(1)'],
};

const usbBackup: Manual = {
  name: 'usb-backup',
  summary: 'write a backup onto the disk labelled for it',
  description: [
    'Finds the one disk labelled DEVSERVER-BACKUP (vfat and exfat keep eleven characters of it: DEVSERVER-B), mounts it, writes a backup of the whole appliance, reads it back from the disk, and says when the disk may be unplugged. No other disk is ever touched.',
    'The same happens by itself when such a disk is plugged in and there are projects.',
    'It is the same as devserver backup usb, and has to be run as root.',
  ],
  examples: [['usb-backup', 'writes a backup and says when the disk may be unplugged']],
  files: [['/srv/system/backups.json', 'how the last backups went']],
  seeAlso: ['devserver(1)'],
};

/** The manual pages of the appliance by name, made from the table of its commands. Pure. */
export function manualPages(program: Command): Readonly<Record<string, string>> {
  const newProjectCommand = program.commands.find((command) => command.name() === newproject.name) ?? program;
  const usbCommand =
    program.commands.find((command) => command.name() === 'backup')?.commands.find((command) => command.name() === 'usb') ??
    program;
  return {
    'devserver.1': manualPage(devserver, program),
    'newproject.1': manualPage(newproject, newProjectCommand),
    'usb-backup.1': manualPage(usbBackup, usbCommand),
  };
}
