import path from 'node:path';
import { UserError } from '../../src/kernel/errors.ts';
import { lastLines, type System } from '../../src/kernel/system.ts';

/** A component's program, and the one thing it is alone with. */
export interface Alone {
  /** A root of a part, for messages: `projects/shop/git repository`. */
  readonly what: string;
  /** Where it lies. */
  readonly place: string;
  /** The account that owns it. */
  readonly as: string;
  /** Words, in which `{place}` stands for where the program sees it. */
  readonly run: readonly string[];
}

/** Where a program sees what it is alone with. */
const seenAt = '/srv/looked-at';

/**
 * Runs a program in a sandbox without network in which nothing else of /srv is: what came out of a backup may be anybody's.
 * @returns what it said when it ended with another code than 0.
 * @throws UserError when it was ended by a limit or a signal, or never ran: that says nothing about what it was alone with.
 */
export async function runAlone({ what, place, as, run }: Alone, system: System): Promise<string[] | undefined> {
  const words = run.map((word) => word.replaceAll('{place}', seenAt));
  const properties = sandbox({ place, as }).flatMap((property) => ['--property', property]);
  const args = ['--pipe', '--wait', '--collect', '--service-type=oneshot', ...properties, '--', ...words];
  const { exitCode, stdout, stderr } = await system.run({ file: 'systemd-run', args }, { accept: 'any' });
  if (exitCode === 0) return undefined;
  const { hasEnded, how, said } = endingIn(stderr);
  const program = path.basename(words[0] ?? '');
  if (!hasEnded)
    throw new UserError(`${program} could not be run on ${what}: ${how}`, {
      details: said.slice(-5),
      hint: 'journalctl tells more; perhaps it needs more memory than there is',
    });
  const lines = lastLines([stdout, ...said].join('\n'), 5);
  return lines.length === 0 ? [`${program}: ${how}`] : lines;
}

/** What systemd-run itself writes, behind what the program does. */
const ofSystemdRun =
  /^(?:Running as unit|Finished with result|Main processes terminated with|Service runtime|CPU time consumed|Memory peak|Memory swap peak|IP traffic \w+|IO bytes \w+): /;

/** How a unit ended, by the words of systemd-run: whether its program came to an end by itself, with a code of its own. */
export function endingIn(stderr: string): { hasEnded: boolean; how: string; said: string[] } {
  const lines = stderr.split('\n');
  const last = (pattern: RegExp): string | undefined =>
    lines.map((line) => pattern.exec(line)?.[1]).findLast((it) => it !== undefined);
  const result = last(/^Finished with result: (\S+)/);
  const status = last(/^Main processes terminated with: code=exited\W+status=(\d+)/);
  const said = lines.filter((line) => line.trim() !== '' && !ofSystemdRun.test(line));
  // from 200 on they are systemd's, for what it could not prepare
  const hasEnded = result === 'exit-code' && status !== undefined && !(Number(status) >= 200 && Number(status) <= 243);
  return { hasEnded, how: hasEnded ? `it ended with ${status}` : (result ?? 'it did not run'), said };
}

/** No network, no other data, no rights, an end. */
function sandbox({ place, as }: Pick<Alone, 'place' | 'as'>): string[] {
  return [
    `User=${as}`,
    'TemporaryFileSystem=/srv:ro /run:ro /var:ro',
    `BindPaths=${place}:${seenAt}`,
    'PrivateNetwork=yes',
    // the account's own processes are out of reach, too
    'PrivateUsers=yes',
    'ProtectProc=invisible',
    'ProcSubset=pid',
    'RestrictAddressFamilies=AF_UNIX',
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'MemoryMax=1G',
    'TasksMax=64',
    'TimeoutStartSec=2h',
    'Nice=10',
    'IOSchedulingClass=idle',
  ];
}
