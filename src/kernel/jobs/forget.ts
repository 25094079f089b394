import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readPlain } from '../derived.ts';
import { DriverError } from '../driver-kit.ts';
import { placeOf, type Store, stashOf } from '../driver-store.ts';
import type { JobServer } from './server.ts';
import { headOf } from './xml.ts';

/** What makes a CI server forget a job whose data was moved away. */
export interface Forgetting {
  /**
   * A server may delete a job's directory in a thread, at any time after it answered: data moved back to that name would go with
   * it. So the job first gets a name nobody uses twice, over a directory that holds nothing. Safe to repeat.
   * @throws DriverError when data is still in its place.
   */
  readonly forget: (name: string, job: string) => Promise<void>;
  /** Deletes what an attempt to forget left under the other name when it was cut short; usually there is nothing. */
  readonly finishForgetting: (name: string, job: string) => Promise<void>;
  /** Deletes what the server left in a job's place, such as the placeholder of an `unstash`. */
  readonly discard: (name: string, job: string) => void;
}

export function forgetting({ title, hint, isKnown, rename, destroy }: JobServer, store: Store): Forgetting {
  const drop = async (gone: string): Promise<void> => {
    const folder = path.join(store.root, gone);
    if (existsSync(folder) && !isLeftover(folder)) throw new DriverError(`${folder} holds data`, 'it is left as it is');
    if (await isKnown(gone)) {
      mkdirSync(folder, { recursive: true, mode: 0o750 });
      if (!existsSync(configIn(folder))) writeFileSync(configIn(folder), '<project/>\n');
      await destroy(gone);
      if (await isKnown(gone)) throw new DriverError(`${title} did not delete ${gone}`, hint);
    }
    // a thread of the server usually needs a few milliseconds; after a crash there is none, and nobody but us knows this name
    for (let waited = 0; existsSync(folder) && waited < 1000; waited += 20) await sleep(20);
    rmSync(folder, { recursive: true, force: true });
  };

  const finishForgetting = (name: string, job: string): Promise<void> => drop(goneName(name, job));

  const discard = (name: string, job: string): void => {
    const aside = `${stashOf(store, job)}.new`;
    rmSync(aside, { recursive: true, force: true });
    const place = placeOf(store, name);
    if (!existsSync(place)) return;
    if (!isLeftover(place)) throw new DriverError(`${place} holds data`, 'it is left as it is');
    renameSync(place, aside);
    rmSync(aside, { recursive: true, force: true });
  };

  const forget = async (name: string, job: string): Promise<void> => {
    const gone = goneName(name, job);
    await finishForgetting(name, job);
    const place = placeOf(store, name);
    if (existsSync(place) && !isLeftover(place)) throw new DriverError(`${place} still holds data`, 'it is left as it is');
    if (await isKnown(name)) {
      if (!existsSync(place)) mkdirSync(place, { mode: 0o750 });
      // renaming needs a directory, deleting a configuration
      if (!existsSync(configIn(place))) writeFileSync(configIn(place), `${headOf(job)}\n<project/>\n`);
      await rename(name, gone);
      await drop(gone);
    }
    discard(name, job);
  };

  return { forget, finishForgetting, discard };
}

/** Whether a directory is without the marker each job of ours has: the server made it by itself. */
export function isLeftover(place: string): boolean {
  return !existsSync(path.join(place, 'devserver-job'));
}

/** Whether a directory the server made was asked for by this job; a request cut short may have left nothing or half a file. */
export function isAskedBy(place: string, job: string): boolean {
  if (!existsSync(configIn(place))) return true;
  const text = readPlain(configIn(place)) ?? 'something else';
  const head = headOf(job);
  return text.startsWith(head) || head.startsWith(text);
}

/** The file a server keeps a job's configuration in. */
export function configIn(place: string): string {
  return path.join(place, 'config.xml');
}

/** No project can have this name: it holds a dot. */
function goneName(name: string, job: string): string {
  return `${name}.${job}`;
}
