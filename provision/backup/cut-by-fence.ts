import { chmodSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { setInterval } from 'node:timers/promises';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { System } from '../../src/kernel/system.ts';
import { openSpecifications } from '../projects/specifications.ts';
import type { CutWay } from './cut.ts';
import { whileFrozen } from './freeze.ts';
import { requireGoingOn } from './interrupt.ts';
import { type MirrorOptions, mirror } from './mirror.ts';
import { partsOf } from './parts.ts';
import { leavesEnough } from './room.ts';

const top = '/srv';
/** How often everything is copied while everything goes on, and what is little. */
const mostPasses = 6;
const fewBytes = 64 << 20;
const fewSeconds = 10;

/**
 * A cut by a copy, for a data directory that can't make snapshots: everything is copied while everything goes on, and what
 * has changed since is copied again while every service stands still.
 * @param given Ended by the signal; where the copy is made.
 */
export function byFence(
  catalogue: ApplianceCatalogue,
  { system, signal, place }: { readonly system: System; readonly signal: AbortSignal; readonly place: string },
): CutWay {
  const copied = (it: string, to = place): string => path.join(to, path.relative(top, it));
  const leftOut = new Set<string>();
  const options: MirrorOptions = {
    ...{ now: system.now, requireRoom },
    requireGoingOn: () => requireGoingOn(signal),
    onLeftOut: (it) => leftOut.add(path.join(top, path.relative(place, it))),
  };
  const copyAll = async (): Promise<number> => {
    let bytes = 0;
    for (const root of rootsOf(catalogue)) {
      mkdirSync(path.dirname(copied(root)), { recursive: true, mode: 0o700 });
      bytes += await mirror(root, copied(root), options);
    }
    return bytes;
  };
  return {
    consistent: 'fence',
    leftOut,
    prepare: async () => {
      // until a pass finds little to do: the one while everything stands still finds less
      for (let pass = 0; pass < mostPasses; pass += 1) {
        const begun = performance.now();
        if ((await copyAll()) < fewBytes && performance.now() - begun < fewSeconds * 1000) return;
      }
    },
    take: async (renew) => {
      const services = catalogue.components.flatMap((component) => component.services);
      await renewing(renew, () => whileFrozen(system, services, async () => void (await copyAll())));
    },
    writable: async (root, to) => {
      const at = copied(root, to);
      openFolders(to, path.dirname(at));
      await system.run({ file: 'cp', args: ['--recursive', '--reflink=auto', '--', copied(root), at] });
      // the owner its root has: the copy is root's
      const { uid, gid } = statSync(root);
      await system.run({ file: 'chown', args: ['--recursive', '--no-dereference', `${uid}:${gid}`, '--', at] });
      return at;
    },
    // files, which whoever drops deletes
    drop: async () => {},
  };
}

/** Makes a folder and those between it and `from`, for everybody to pass through, whatever umask this was started with. */
function openFolders(from: string, folder: string): void {
  const within = path
    .relative(from, folder)
    .split('/')
    .filter((name) => name !== '');
  for (let length = 0; length <= within.length; length += 1) {
    const at = path.join(from, ...within.slice(0, length));
    mkdirSync(at, { recursive: true });
    chmodSync(at, 0o711);
  }
}

/** Everything that is data, none within another. */
function rootsOf(catalogue: ApplianceCatalogue): string[] {
  const projects = openSpecifications(path.join(appliancePaths.system, 'devserverd/projects'));
  const places = new Set(partsOf(catalogue, projects.all()).flatMap(({ roots }) => roots.map(({ place }) => place)));
  return [...places].filter((place) => !above(place).some((it) => places.has(it))).sort();
}

/** The folders a place lies in. */
function above(place: string): string[] {
  const parent = path.dirname(place);
  return parent === place ? [] : [parent, ...above(parent)];
}

function requireRoom(bytes: number): void {
  if (!leavesEnough(appliancePaths.cuts, bytes))
    throw new UserError(`${top} can't make snapshots, and has no room for a copy of the data`, {
      exitCode: exitCodes.machineLacks,
      hint: 'free some space, or give the machine an empty second disk, which becomes the data disk',
    });
}

/** Does something, and again and again something else beside it. */
async function renewing(renew: () => Promise<void>, work: () => Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const beside = (async () => {
    for await (const _ of setInterval(2500, undefined, { signal: over.signal })) await renew();
  })().catch(() => {});
  try {
    await work();
  } finally {
    over.abort();
    await beside;
  }
}
