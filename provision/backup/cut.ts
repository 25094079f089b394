import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import type { Api } from '../../src/kernel/client/api.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { System } from '../../src/kernel/system.ts';
import { readOwners } from '../boot/owners.ts';
import { askDriver } from '../drivers.ts';
import type { Part, Root } from './parts.ts';

const top = '/srv';
/** In the data disk's own subvolume; a snapshot of that holds none of the others. */
const folder = appliancePaths.cuts;
/** Root's alone: in a snapshot what a unit may not reach by its path lies at another. */
const kept = path.join(folder, 'kept');
/** For the account of the driver that dumps, and for nobody else. */
const shown = path.join(folder, 'shown');
const btrfs = 0x9123683e;

/** The data disk as it was at one moment. */
export interface Cut {
  readonly moment: Date;
  /** Seconds for which jobs were held. */
  readonly pause: number;
  /** Changes that were begun before and are not ended: of these projects it may show a part only. */
  readonly open: readonly { readonly project: string; readonly job: string }[];
  /** Who people are: what the directory gave each once. */
  readonly accounts: Readonly<Record<string, string>>;
  /** Where something below /srv lies in it. */
  readonly placeOf: (place: string) => string;
}

/**
 * Does something with a read-only snapshot of the data disk, taken while no job runs. Nothing of it is left afterwards, and
 * what a killed one left goes first.
 * @throws UserError when the data disk can't make snapshots, or jobs don't end.
 */
export async function withCut<T>(api: Api, system: System, work: (cut: Cut) => Promise<T>): Promise<T> {
  if (statfsSync(top).type !== btrfs)
    throw new UserError(`the data disk can't make snapshots: ${top} is not on btrfs`, { exitCode: exitCodes.machineLacks });
  await dropAll(system);
  const place = path.join(kept, 'cut');
  mkdirSync(kept, { mode: 0o700 });
  try {
    // what is to be written anyway is written before anybody waits for it
    await system.run({ file: 'btrfs', args: ['filesystem', 'sync', top] });
    const held = await whileHeld(api, async () => snapshot(system, ['-r', top, place]));
    return await work({ ...held, placeOf: (it) => path.join(place, path.relative(top, it)) });
  } finally {
    await dropAll(system);
  }
}

/** Keeps jobs waiting for `work`. @throws UserError when that ended before it did. */
async function whileHeld(api: Api, work: () => Promise<void>): Promise<Omit<Cut, 'placeOf'>> {
  const begun = performance.now();
  const { hold, open, accounts } = await api.send<Pick<Cut, 'open' | 'accounts'> & { hold: string }>('POST', '/hold');
  // what was acknowledged before is in it
  const moment = new Date();
  let whole = false;
  try {
    await work();
  } finally {
    whole = (await api.send<{ held: boolean }>('DELETE', `/hold/${hold}`)).held;
  }
  if (!whole)
    throw new UserError('the snapshot took so long that jobs went on: it shows no single moment', { hint: 'try it again' });
  return { moment, open, accounts, pause: Math.round(performance.now() - begun) / 1000 };
}

/**
 * Has drivers write what they keep in a form of their own, each into a folder of its account; gives the folders by root.
 * They work on a copy that can be written: a database that was open wants to put itself in order first.
 */
export async function dumpsOf(
  catalogue: ApplianceCatalogue,
  parts: readonly Part[],
  system: System,
): Promise<ReadonlyMap<Root, string>> {
  const wanted = parts.flatMap(({ component, roots }) =>
    roots.filter(({ isDumped }) => isDumped).map((root) => ({ component, root })),
  );
  if (wanted.length === 0) return new Map();
  const owners = readOwners();
  const dumps = new Map<Root, string>();
  mkdirSync(shown);
  // whatever umask this was started with, the driver's account has to come through
  chmodSync(shown, 0o710);
  const copy = path.join(shown, 'copy');
  await snapshot(system, [path.join(kept, 'cut'), copy]);
  for (const { component: name, root } of wanted) {
    const component = catalogue.components.find((it) => it.name === name);
    if (component?.driver === undefined) throw new Error(`${name} has no driver that could dump ${root.name}`);
    const { as } = component.driver;
    chownSync(shown, 0, owners.gid(as));
    const into = path.join(shown, `${name}.${root.name}`);
    mkdirSync(into, { mode: 0o700 });
    chownSync(into, owners.uid(as), owners.gid(as));
    await askDriver(component, 'dump', { root: root.name, place: path.join(copy, path.relative(top, root.place)), into }, 600);
    dumps.set(root, into);
  }
  return dumps;
}

function snapshot(system: System, args: readonly string[]): Promise<void> {
  return system.run({ file: 'btrfs', args: ['subvolume', 'snapshot', ...args] }).then(() => {});
}

async function dropAll(system: System): Promise<void> {
  for (const name of ['kept/cut', 'shown/copy']) {
    const place = path.join(folder, name);
    if (existsSync(place)) await system.run({ file: 'btrfs', args: ['subvolume', 'delete', '--', place] });
  }
  for (const place of readdirSync(folder)) rmSync(path.join(folder, place), { recursive: true, force: true });
}

/** Where the specifications of projects lie in a cut. */
export const specificationsIn = (cut: Cut): string => cut.placeOf(`${appliancePaths.system}/devserverd/projects`);
