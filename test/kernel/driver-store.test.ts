import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  makeStored,
  placeOf,
  presentPlace,
  purgeStash,
  readStored,
  removeMade,
  type Store,
  stashOf,
  stashStored,
  unstashStored,
} from '../../src/kernel/driver-store.ts';

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

const job = 'job-0001';
const other = 'job-0002';
let folder: string;
let store: Store;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'store-'));
  store = { root: path.join(folder, 'root'), suffix: '.git' };
  fs.mkdirSync(path.join(store.root, '.stash'), { recursive: true });
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const build = async (at: string): Promise<void> => {
  for (const name of ['one', 'two']) fs.writeFileSync(path.join(at, name), name);
};
const make = (by = job): Promise<void> => makeStored(store, 'shop', by, build);
const acts = {
  make: () => make(),
  remove: async () => removeMade(store, 'shop', job),
  stash: async () => stashStored(store, 'shop', job),
  unstash: async () => unstashStored(store, 'shop', job),
  purge: async () => purgeStash(store, job),
} as const;
type Act = keyof typeof acts;

/** Everything below the store with its content, as one would compare it. */
function tree(at = store.root): string[] {
  return fs.readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    const place = path.join(at, entry.name);
    const shown = path.relative(store.root, place);
    if (entry.isSymbolicLink()) return [`${shown} -> ${fs.readlinkSync(place)}`];
    return entry.isDirectory() ? [`${shown}/`, ...tree(place)] : [`${shown}=${fs.readFileSync(place, 'utf8').trim()}`];
  });
}

async function killedAt(step: number, act: () => Promise<void>): Promise<boolean> {
  Object.assign(kill, { after: step, seen: 0 });
  try {
    await act();
    return false;
  } catch (error) {
    if ((error as Error).message !== 'killed') throw error;
    return true;
  } finally {
    kill.after = Number.POSITIVE_INFINITY;
  }
}

describe('a store', () => {
  it('makes once, knows who made it, and refuses another job', async () => {
    expect(readStored(store, 'shop')).toEqual({ present: false });
    await make();
    const once = tree();
    await make();
    expect(tree()).toEqual(once);
    expect(once).toEqual(['.stash/', 'shop.git/', `shop.git/devserver-job=${job}`, 'shop.git/one=one', 'shop.git/two=two']);
    expect(readStored(store, 'shop')).toEqual({ present: true, job });
    await expect(make(other)).rejects.toThrow('already something');
    expect(() => removeMade(store, 'shop', other)).toThrow('was not made by this job');
    expect(tree()).toEqual(once);
    expect(presentPlace(store, 'shop')).toBe(placeOf(store, 'shop'));
    expect(() => presentPlace(store, 'shed')).toThrow('is missing');
  });

  it('lets one of two jobs win when both make at once', async () => {
    const results = await Promise.allSettled([make(job), make(other)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(String((results.find(({ status }) => status === 'rejected') as PromiseRejectedResult).reason)).toContain('already');
  });

  it('keeps what is there when nothing can be moved', async () => {
    expect(() => stashStored(store, 'shop', job)).toThrow('is missing');
    expect(() => unstashStored(store, 'shop', job)).toThrow('is missing');
    await make();
    stashStored(store, 'shop', job);
    await make(other);
    expect(() => stashStored(store, 'shop', job)).toThrow('already something');
    expect(() => unstashStored(store, 'shop', job)).toThrow('already something');
    purgeStash(store, job);
    expect(readStored(store, 'shop')).toEqual({ present: true, job: other });
  });

  const cases: readonly { readonly given: readonly Act[]; readonly act: Act; readonly undo?: Act }[] = [
    { given: [], act: 'make', undo: 'remove' },
    { given: ['make'], act: 'remove' },
    { given: ['make'], act: 'stash', undo: 'unstash' },
    { given: ['make', 'stash'], act: 'unstash', undo: 'stash' },
    { given: ['make', 'stash'], act: 'purge' },
  ];
  it.each(cases)('is killed anywhere in $act and asked again, or asked to undo it', async ({ given, act, undo }) => {
    let points = 0;
    for (let step = 0, killed = true; killed; step += 1) {
      for (const then of undo === undefined ? [act] : [act, undo]) {
        fs.rmSync(store.root, { recursive: true });
        fs.mkdirSync(path.join(store.root, '.stash'), { recursive: true });
        for (const before of given) await acts[before]();
        const untouched = tree();
        killed = await killedAt(step, acts[act]);
        // what is published is whole
        const { present } = readStored(store, 'shop');
        if (present) expect(tree().filter((it) => it.startsWith('shop.git/')).length).toBe(4);
        await acts[then]();
        const after = tree();
        await acts[then]();
        expect(tree(), `asked ${then} twice after a kill before change ${step}`).toEqual(after);
        if (then === undo) expect(after).toEqual(untouched);
        else expect(after.join().includes('.new')).toBe(false);
        points += 1;
      }
    }
    expect(points).toBeGreaterThan(1);
  });

  it('never takes a half-purged stash for the data', async () => {
    for (let step = 0; step < 3; step += 1) {
      await make();
      stashStored(store, 'shop', job);
      await killedAt(step, acts.purge);
      const whole = fs.existsSync(stashOf(store, job));
      if (whole) unstashStored(store, 'shop', job);
      else expect(() => unstashStored(store, 'shop', job)).toThrow('is missing');
      if (whole) expect(tree(placeOf(store, 'shop')).length).toBe(3);
      purgeStash(store, job);
      removeMade(store, 'shop', job);
    }
  });

  it.each([
    '',
    '.',
    '..',
    '../x',
    'a/b',
    'shop\n',
    'shop\0',
    'Shop',
    'sh',
    '-shop',
    'shop-',
    'shop.git',
    '.stash',
    'x'.repeat(33),
  ])('refuses the name %j', async (name) => {
    for (const act of [
      () => placeOf(store, name),
      () => readStored(store, name),
      () => removeMade(store, name, job),
      () => stashStored(store, name, job),
      () => unstashStored(store, name, job),
      () => presentPlace(store, name),
    ])
      expect(act).toThrow("is no project's name");
    await expect(makeStored(store, name, job, build)).rejects.toThrow("is no project's name");
    expect(tree()).toEqual(['.stash/']);
  });

  it.each(['', '..', '../../x', 'short', 'job/0001', 'job-0001\n', 'JOB-0001', `${'x'.repeat(41)}`])(
    'refuses the job %j',
    async (bad) => {
      await make();
      const before = tree();
      expect(() => stashOf(store, bad)).toThrow('is no job');
      expect(() => purgeStash(store, bad)).toThrow('is no job');
      expect(() => removeMade(store, 'shop', bad)).toThrow('is no job');
      await expect(makeStored(store, 'shed', bad, build)).rejects.toThrow('is no job');
      expect(tree()).toEqual(before);
    },
  );
});

describe('links and files that somebody put there', () => {
  let outside: string;
  beforeEach(() => {
    outside = path.join(folder, 'outside');
    fs.mkdirSync(outside);
    fs.writeFileSync(path.join(outside, 'precious'), 'x');
    fs.writeFileSync(path.join(outside, 'devserver-job'), job);
  });
  afterEach(() => expect(fs.readdirSync(outside).sort()).toEqual(['devserver-job', 'precious']));

  it.each(['link', 'file', 'dangling'])('refuses a %s in the place of the data', async (what) => {
    const place = placeOf(store, 'shop');
    if (what === 'file') fs.writeFileSync(place, '');
    else fs.symlinkSync(what === 'link' ? outside : path.join(folder, 'nowhere'), place);
    const before = tree();
    for (const act of Object.values(acts).slice(0, 4)) await expect(act()).rejects.toThrow('not a directory');
    expect(tree()).toEqual(before);
  });

  it('refuses a link in the place of a stash, or of all stashes', async () => {
    await make();
    fs.symlinkSync(outside, stashOf(store, job));
    for (const act of [acts.stash, acts.unstash, acts.purge]) await expect(act()).rejects.toThrow('not a directory');
    fs.rmSync(path.join(store.root, '.stash'), { recursive: true });
    fs.symlinkSync(outside, path.join(store.root, '.stash'));
    for (const act of [acts.stash, acts.unstash, acts.purge, acts.remove]) await expect(act()).rejects.toThrow('not a directory');
    await expect(makeStored(store, 'shed', job, build)).rejects.toThrow('not a directory');
  });

  it('replaces a link where something new is to be made, and removes links with what holds them', async () => {
    fs.symlinkSync(outside, `${stashOf(store, job)}.new`);
    await make();
    fs.symlinkSync(outside, path.join(placeOf(store, 'shop'), 'inside'));
    removeMade(store, 'shop', job);
    expect(tree()).toEqual(['.stash/']);
  });

  it('believes no marker that is a link or names no job', async () => {
    const place = placeOf(store, 'shop');
    fs.mkdirSync(place);
    fs.symlinkSync(path.join(outside, 'devserver-job'), path.join(place, 'devserver-job'));
    expect(readStored(store, 'shop')).toEqual({ present: true });
    expect(() => removeMade(store, 'shop', job)).toThrow('was not made by this job');
    fs.rmSync(path.join(place, 'devserver-job'));
    fs.writeFileSync(path.join(place, 'devserver-job'), '../../x');
    expect(readStored(store, 'shop')).toEqual({ present: true });
  });
});
