import fs from 'node:fs';
import path from 'node:path';
import { vi } from 'vitest';
import {
  listStored,
  makeStored,
  presentPlace,
  purgeStash,
  readStored,
  removeMade,
  type Store,
  stashStored,
  unstashStored,
} from '../../src/kernel/driver-store.ts';
import { describeStore, type Verb } from '../support/store-contract.ts';

/** Calls that change the disk; the kill comes right before one of them. */
const kill = vi.hoisted(() => ({
  before: ['mkdirSync', 'renameSync', 'rmSync', 'writeFileSync'] as const,
  after: Number.POSITIVE_INFINITY,
  seen: 0,
}));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const watched = Object.fromEntries(
    kill.before.map((name) => [
      name,
      (...args: unknown[]) => {
        if (kill.seen >= kill.after) throw new Error('killed');
        kill.seen += 1;
        return (real[name] as (...all: unknown[]) => unknown)(...args);
      },
    ]),
  );
  return { ...real, ...watched, default: real };
});

const build = async (at: string): Promise<void> => {
  for (const name of ['one', 'two']) fs.writeFileSync(path.join(at, name), name);
};
const make = (store: Store, name: string, job: string): Promise<void> => makeStored(store, name, job, build);
const acts: Readonly<Record<Verb, (store: Store, name: string, job: string) => unknown>> = {
  make,
  remove: removeMade,
  stash: stashStored,
  unstash: unstashStored,
  purge: (store, _name, job) => purgeStash(store, job),
  read: readStored,
  present: presentPlace,
  list: listStored,
};

describeStore({
  act: async (root, verb, name, job, killBefore = Number.POSITIVE_INFINITY) => {
    Object.assign(kill, { after: killBefore, seen: 0 });
    try {
      return await acts[verb]({ root, suffix: '.git' }, name, job);
    } finally {
      kill.after = Number.POSITIVE_INFINITY;
    }
  },
  race: async (root, name, jobs) => {
    const ends = await Promise.allSettled(jobs.map((job) => make({ root, suffix: '.git' }, name, job)));
    return ends.map((it) => (it.status === 'rejected' ? String(it.reason) : undefined));
  },
});
