import { lstatSync } from 'node:fs';
import path from 'node:path';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { lastLines, type System } from '../../src/kernel/system.ts';
import { ownerOf } from '../restore/target.ts';

/** What a component's program says of a root that is not as it should be. */
export interface ContentFault {
  readonly part: string;
  readonly root: string;
  /** Its last lines. */
  readonly said: readonly string[];
}

export interface Contents {
  readonly catalogue: ApplianceCatalogue;
  readonly system: System;
  /** Parts, by name. */
  readonly parts: readonly string[];
  /** Where something below /srv lies now. */
  readonly placeOf: (place: string) => string;
  /** Told before each look. */
  readonly onLook: (done: number, all: number) => void;
}

interface Look {
  readonly part: string;
  readonly root: string;
  readonly place: string;
  readonly as: string;
  readonly run: readonly string[];
}

/**
 * Has the components' own programs look at what was laid out: each alone with one root, as the account that owns it, in a
 * sandbox without network in which nothing else of /srv is. How many looked, and what they found.
 */
export async function examineContents(contents: Contents): Promise<{ looks: number; faults: ContentFault[] }> {
  const looks = looksAt(contents);
  const faults: ContentFault[] = [];
  for (const [index, look] of looks.entries()) {
    contents.onLook(index, looks.length);
    const said = await examine(look, contents.system);
    if (said !== undefined) faults.push({ part: look.part, root: look.root, said });
  }
  return { looks: looks.length, faults };
}

function looksAt({ catalogue, parts, placeOf }: Contents): Look[] {
  const known = new Map(catalogue.components.map((component) => [component.name, component]));
  return parts.flatMap((part) => {
    const { project, component: name } = ownerOf(part);
    const component = known.get(name);
    const as = component?.driver?.as;
    const roots = project === undefined ? component?.backup?.system : component?.backup?.project;
    return (component?.backup?.verify ?? []).flatMap(({ root, run }): Look[] => {
      const pattern = roots !== undefined && Object.hasOwn(roots, root) ? roots[root] : undefined;
      if (pattern === undefined || as === undefined) return [];
      const place = placeOf(pattern.replace('{project}', project ?? ''));
      // a part may hold nothing
      if (lstatSync(place, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
      return [{ part, root, place, as, run }];
    });
  });
}

/** Where a program sees what it looks at. */
const seenAt = '/srv/looked-at';

/**
 * What it said when it did not like what it saw.
 * @throws UserError when it was ended by a limit or a signal, or never ran: that says nothing about what it was to look at.
 */
async function examine({ part, place, as, run }: Look, system: System): Promise<string[] | undefined> {
  const words = run.map((word) => word.replaceAll('{place}', seenAt));
  const properties = sandbox({ place, as }).flatMap((property) => ['--property', property]);
  const args = ['--pipe', '--wait', '--collect', '--service-type=oneshot', ...properties, '--', ...words];
  const { exitCode, stdout, stderr } = await system.run({ file: 'systemd-run', args }, { accept: 'any' });
  if (exitCode === 0) return undefined;
  const { hasEnded, how, said } = endingIn(stderr);
  const program = path.basename(words[0] ?? '');
  if (!hasEnded)
    throw new UserError(`${program} could not look at ${part}: ${how}`, {
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

/** What came out of a backup may be anybody's: no network, no other data, no rights, an end. */
function sandbox({ place, as }: Pick<Look, 'place' | 'as'>): string[] {
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
