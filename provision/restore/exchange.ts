import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { syncDirectory } from '../../src/kernel/atomic-file.ts';
import type { Move } from './record.ts';

/** The folders a restore works with, all of one file system. */
export interface Places {
  /** /srv. */
  readonly top: string;
  /** The restored data, until it is live. */
  readonly fresh: string;
  /** The data before, while the restored is live. */
  readonly before: string;
  /** Restored data that did not pass. */
  readonly failed: string;
}

/** The places of a restore in `folder` of `top`. */
export function placesOf(top: string, folder: string): Places {
  return { top, fresh: path.join(folder, 'new'), before: path.join(folder, 'before'), failed: path.join(folder, 'failed') };
}

/** What is exchanged: everything below /srv that a component has a directory in. */
export function movesFor({ components }: Pick<ApplianceCatalogue, 'components'>, { top, fresh }: Places): Move[] {
  const names = components.flatMap(({ state }) => state.map(({ dir }) => dir.split('/')[2] ?? ''));
  return [...new Set(names)]
    .filter((name) => !name.startsWith('.') && name !== '')
    .sort()
    .map((name) => ({ name, live: existsSync(path.join(top, name)), fresh: existsSync(path.join(fresh, name)) }));
}

/**
 * The restored data to its place and the live data aside. May have died anywhere and is done again: each name tells by where
 * it is how far it came.
 */
export function goForth(moves: readonly Move[], places: Places): void {
  const { top, fresh, before } = places;
  requireWhole(moves, places);
  mkdirSync(before, { recursive: true, mode: 0o700 });
  for (const { name, live, fresh: hasFresh } of moves) {
    const [at, kept, next] = [path.join(top, name), path.join(before, name), path.join(fresh, name)];
    if (live && !existsSync(kept)) renameSync(at, kept);
    if (hasFresh && existsSync(next)) renameSync(next, at);
  }
  sync([top, before, fresh]);
}

/** @throws Error when restored data is neither where it was prepared nor where it goes: nothing is moved then. */
function requireWhole(moves: readonly Move[], { top, fresh, before }: Places): void {
  const gone = moves.filter(({ name, live, fresh: hasFresh }) => {
    if (!hasFresh || existsSync(path.join(fresh, name))) return false;
    return !existsSync(path.join(top, name)) || (live && !existsSync(path.join(before, name)));
  });
  if (gone.length > 0) throw new Error(`what was prepared is gone: ${gone.map(({ name }) => name).join(', ')}`);
}

/** The data before back to its place. What was made meanwhile goes with what did not pass. May have died anywhere as well. */
export function goBack(moves: readonly Move[], { top, before, failed }: Places): void {
  mkdirSync(failed, { recursive: true, mode: 0o700 });
  for (const { name, live } of moves) {
    const [at, kept, gone] = [path.join(top, name), path.join(before, name), path.join(failed, name)];
    const isBack = live ? !existsSync(kept) : existsSync(gone);
    if (isBack) continue;
    if (existsSync(at)) {
      rmSync(gone, { recursive: true, force: true });
      renameSync(at, gone);
    }
    if (live) renameSync(kept, at);
  }
  sync([top, before, failed]);
}

function sync(folders: readonly string[]): void {
  for (const folder of folders) if (existsSync(folder)) syncDirectory(folder);
}
