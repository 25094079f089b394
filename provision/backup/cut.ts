import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import type { BackupHeader } from '../../src/kernel/backup/layout.ts';
import type { Api } from '../../src/kernel/client/api.ts';
import { UserError } from '../../src/kernel/errors.ts';
import type { System } from '../../src/kernel/system.ts';
import { readOwners } from '../boot/owners.ts';
import { askDriver } from '../drivers.ts';
import { byFence } from './cut-by-fence.ts';
import { bySnapshot } from './cut-by-snapshot.ts';
import type { Part, Root } from './parts.ts';

const top = '/srv';
/** In the data disk's own subvolume; a snapshot of that holds none of the others. */
const folder = appliancePaths.cuts;
/** Root's alone: in a copy what a unit may not reach by its path lies at another. */
const kept = path.join(folder, 'kept');
/** For the account of the driver that dumps, and for nobody else. */
const shown = path.join(folder, 'shown');
const btrfs = 0x9123683e;

/** A way to have the data disk as it was at one moment. */
export interface CutWay {
  readonly consistent: BackupHeader['consistent'];
  /** Paths that are not in it. */
  readonly leftOut: ReadonlySet<string>;
  /** While everything goes on. */
  readonly prepare: () => Promise<void>;
  /** While jobs are held, which `renew` asks for again. */
  readonly take: (renew: () => Promise<void>) => Promise<void>;
  /** A copy of a root in it that can be written, by the account that owns the root. @param to A folder for it. */
  readonly writable: (root: string, to: string) => Promise<string>;
  /** Lets go of what it left below a folder, also of what a killed one did; the rest is files. */
  readonly drop: (places: readonly string[]) => Promise<void>;
}

/** The data disk as it was at one moment. */
export interface Cut {
  readonly moment: Date;
  readonly consistent: CutWay['consistent'];
  /** Seconds for which jobs were held. */
  readonly pause: number;
  /** Changes that were begun before and are not ended: of these projects it may show a part only. */
  readonly open: readonly { readonly project: string; readonly job: string }[];
  /** Who people are: what the directory gave each once. */
  readonly accounts: Readonly<Record<string, string>>;
  /** Where something below /srv lies in it. */
  readonly placeOf: (place: string) => string;
  readonly writable: CutWay['writable'];
  readonly leftOut: CutWay['leftOut'];
}

/**
 * Does something with the data disk as it is at one moment at which no job runs: with a read-only snapshot of it or, where
 * there can be none, with a copy made while every service stands still. Nothing of it is left afterwards, and what a killed
 * one left goes first.
 * @throws UserError when jobs don't end, or there is no room for a copy.
 */
export async function withCut<T>(
  { catalogue, api, system, signal }: { catalogue: ApplianceCatalogue; api: Api; system: System; signal: AbortSignal },
  work: (cut: Cut) => Promise<T>,
): Promise<T> {
  const place = path.join(kept, 'cut');
  const way = statfsSync(top).type === btrfs ? bySnapshot(system, place) : byFence(catalogue, { system, signal, place });
  const dropAll = async (): Promise<void> => {
    await way.drop([place, path.join(shown, 'copy')]);
    for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true, force: true });
  };
  await dropAll();
  mkdirSync(kept, { mode: 0o700 });
  try {
    await way.prepare();
    const held = await whileHeld(api, way.take);
    const { consistent, writable, leftOut } = way;
    return await work({ ...held, consistent, writable, leftOut, placeOf: (it) => path.join(place, path.relative(top, it)) });
  } finally {
    await dropAll();
  }
}

/** Keeps jobs waiting for `work`. @throws UserError when that ended before it did. */
async function whileHeld(
  api: Api,
  work: (renew: () => Promise<void>) => Promise<void>,
): Promise<Pick<Cut, 'moment' | 'pause' | 'open' | 'accounts'>> {
  const begun = performance.now();
  const { hold, open, accounts } = await api.send<Pick<Cut, 'open' | 'accounts'> & { hold: string }>('POST', '/hold');
  // what was acknowledged before is in it
  const moment = new Date();
  let whole = false;
  try {
    await work(async () => void (await api.send('POST', `/hold/${hold}`)));
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
  cut: Cut,
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
  for (const { component: name, root } of wanted) {
    const component = catalogue.components.find((it) => it.name === name);
    if (component?.driver === undefined) throw new Error(`${name} has no driver that could dump ${root.name}`);
    const { as } = component.driver;
    const place = await cut.writable(root.place, copy);
    chownSync(shown, 0, owners.gid(as));
    const into = path.join(shown, `${name}.${root.name}`);
    mkdirSync(into, { mode: 0o700 });
    chownSync(into, owners.uid(as), owners.gid(as));
    await askDriver(component, 'dump', { root: root.name, place, into }, 600);
    dumps.set(root, into);
  }
  return dumps;
}

/** Where the specifications of projects lie in a cut. */
export const specificationsIn = (cut: Cut): string => cut.placeOf(`${appliancePaths.system}/devserverd/projects`);
