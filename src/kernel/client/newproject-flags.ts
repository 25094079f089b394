import type { Flag } from '../flags.ts';

/** What `newproject` does, in its help. */
export const newProjectText = 'make a project: repository, tracker, builds, Maven repository, permissions';

/** The flags of `newproject`, inside the appliance and from outside; `--dry-run` and `--json` every command has of its own. */
export const newProjectFlags: readonly Flag[] = [
  { flags: '--vcs <kind>', text: 'git, hg or svn' },
  { flags: '--title <text>', text: 'as people call it' },
  { flags: '--description <text>', text: 'what it is about' },
  {
    flags: '--member <user:role>',
    text: 'a member: USER, or USER:admin, USER:developer, USER:reader; may be given several times',
    many: true,
  },
  { flags: '--visibility <who>', text: 'who may read', choices: ['private', 'internal'] },
  { flags: '--template <name>', text: 'what the first commit is made from' },
  { flags: '--no-maven', text: 'without a Maven repository' },
  { flags: '--no-ci', text: 'without builds' },
  { flags: '--no-protect', text: 'the default branch may be overwritten' },
  { flags: '--file <project.yaml>', text: 'all of this in a file' },
  { flags: '--yes', text: 'ask nothing' },
];

/** The flags that lead to the appliance, from outside. */
export const remoteFlags: readonly Flag[] = [
  { flags: '--server <url>', text: 'address of the appliance, starting with https://' },
  { flags: '--user <name>', text: 'login there; else the name of who is logged in here' },
  {
    flags: '--password-file <file>',
    text: 'the password, from a file or - for standard input; else DEVSERVER_PASSWORD, else it is asked for',
  },
  { flags: '--ca <file>', text: 'certificate (PEM) of the authority to trust: the one offered at /ca.crt' },
];
