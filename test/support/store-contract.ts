import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** A driver's store in some language, as its contract needs it; entries end in `.git`. */
export interface StoreSubject {
  /** Carries a verb out in the store at `root`. `killBefore`: throws `killed` right before that change of the disk, from 0. */
  readonly act: (root: string, verb: Verb, name: string, job: string, killBefore?: number) => Promise<unknown>;
  /** Two jobs make the same at once; how it ends for each: nothing, or why not. */
  readonly race: (root: string, name: string, jobs: readonly [string, string]) => Promise<(string | undefined)[]>;
}

export const verbs = ['make', 'remove', 'stash', 'unstash', 'purge', 'read', 'present', 'list'] as const;
export type Verb = (typeof verbs)[number];

const job = 'job-0001';
const other = 'job-0002';

/** The contract of every store: whole or not at all, whoever asks again, whatever somebody put there. */
export function describeStore(subject: StoreSubject): void {
  let folder: string;
  let root: string;
  const act = (verb: Verb, by = job, name = 'shop'): Promise<unknown> => subject.act(root, verb, name, by);
  const place = (name = 'shop'): string => path.join(root, `${name}.git`);
  const stash = (by = job): string => path.join(root, '.stash', `${by}.git`);

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(tmpdir(), 'store-'));
    root = path.join(folder, 'root');
    fs.mkdirSync(path.join(root, '.stash'), { recursive: true });
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** Everything below the store with its content, as one would compare it. */
  function tree(at = root): string[] {
    return fs
      .readdirSync(at, { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => {
        const here = path.join(at, entry.name);
        const shown = path.relative(root, here);
        if (entry.isSymbolicLink()) return [`${shown} -> ${fs.readlinkSync(here)}`];
        return entry.isDirectory() ? [`${shown}/`, ...tree(here)] : [`${shown}=${fs.readFileSync(here, 'utf8').trim()}`];
      });
  }

  async function killedAt(step: number, verb: Verb): Promise<boolean> {
    try {
      await subject.act(root, verb, 'shop', job, step);
      return false;
    } catch (error) {
      if ((error as Error).message !== 'killed') throw error;
      return true;
    }
  }

  describe('a store', () => {
    it('makes once, knows who made it, and refuses another job', async () => {
      expect(await act('read')).toEqual({ present: false });
      await act('make');
      const once = tree();
      await act('make');
      expect(tree()).toEqual(once);
      expect(once).toEqual(['.stash/', 'shop.git/', `shop.git/devserver-job=${job}`, 'shop.git/one=one', 'shop.git/two=two']);
      expect(await act('read')).toEqual({ present: true, job });
      await expect(act('make', other)).rejects.toThrow('already something');
      await expect(act('remove', other)).rejects.toThrow('was not made by this job');
      expect(tree()).toEqual(once);
      expect(await act('present')).toBe(place());
      await expect(act('present', job, 'shed')).rejects.toThrow('is missing');
    });

    it('lets one of two jobs win when both make at once', async () => {
      const results = await subject.race(root, 'shop', [job, other]);
      expect(results.filter((it) => it === undefined)).toHaveLength(1);
      expect(results.join()).toContain('already something');
    });

    it('keeps what is there when nothing can be moved', async () => {
      await expect(act('stash')).rejects.toThrow('is missing');
      await expect(act('unstash')).rejects.toThrow('is missing');
      await act('make');
      await act('stash');
      await act('make', other);
      await expect(act('stash')).rejects.toThrow('already something');
      await expect(act('unstash')).rejects.toThrow('already something');
      await act('purge');
      expect(await act('read')).toEqual({ present: true, job: other });
    });

    it('lists whose place is taken, whatever takes it, and no name that no project has', async () => {
      expect(await act('list')).toEqual([]);
      await act('make');
      await act('make', other, 'ware');
      await act('stash', other, 'ware');
      for (const name of ['a-link', 'Shop', 'x', 'no-suffix'])
        fs.mkdirSync(path.join(root, name === 'no-suffix' ? name : `${name}.git`));
      fs.rmdirSync(path.join(root, 'a-link.git'));
      fs.symlinkSync('/nonexistent', path.join(root, 'a-link.git'));
      fs.writeFileSync(path.join(root, 'a-file.git'), '');
      expect(await act('list')).toEqual(['a-file', 'a-link', 'shop']);
    });

    const cases: readonly { readonly given: readonly Verb[]; readonly verb: Verb; readonly undo?: Verb }[] = [
      { given: [], verb: 'make', undo: 'remove' },
      { given: ['make'], verb: 'remove' },
      { given: ['make'], verb: 'stash', undo: 'unstash' },
      { given: ['make', 'stash'], verb: 'unstash', undo: 'stash' },
      { given: ['make', 'stash'], verb: 'purge' },
    ];
    it.each(cases)('is killed anywhere in $verb and asked again, or asked to undo it', async ({ given, verb, undo }) => {
      let points = 0;
      for (let step = 0, died = true; died; step += 1) {
        for (const then of undo === undefined ? [verb] : [verb, undo]) {
          fs.rmSync(root, { recursive: true });
          fs.mkdirSync(path.join(root, '.stash'), { recursive: true });
          for (const before of given) await act(before);
          const untouched = tree();
          died = await killedAt(step, verb);
          // what is published is whole
          const { present } = (await act('read')) as { present: boolean };
          if (present) expect(tree().filter((it) => it.startsWith('shop.git/')).length).toBe(4);
          await act(then);
          const after = tree();
          await act(then);
          expect(tree(), `asked ${then} twice after a kill before change ${step}`).toEqual(after);
          if (then === undo) expect(after).toEqual(untouched);
          else expect(after.join().includes('.new')).toBe(false);
          points += 1;
        }
      }
      expect(points).toBeGreaterThan(1);
    });

    it('never takes a half-purged stash for the data', async () => {
      for (let step = 0, died = true; died; step += 1) {
        await act('make');
        await act('stash');
        died = await killedAt(step, 'purge');
        const whole = fs.existsSync(stash());
        if (whole) await act('unstash');
        else await expect(act('unstash')).rejects.toThrow('is missing');
        if (whole) expect(tree(place()).length).toBe(3);
        await act('purge');
        await act('remove');
      }
    });

    const badNames = ['', '.', '..', '../x', 'a/b', 'shop\n', 'shop\0', 'Shop', 'sh', '-shop', 'shop-', 'shop.git', '.stash'];
    it.each([...badNames, 'x'.repeat(33)])('refuses the name %j', async (name) => {
      for (const verb of verbs.filter((it) => it !== 'purge' && it !== 'list'))
        await expect(act(verb, job, name), verb).rejects.toThrow("is no project's name");
      expect(tree()).toEqual(['.stash/']);
    });

    it.each(['', '..', '../../x', 'short', 'job/0001', 'job-0001\n', 'JOB-0001', 'x'.repeat(41)])(
      'refuses the job %j',
      async (bad) => {
        await act('make');
        const before = tree();
        for (const verb of ['purge', 'remove', 'stash', 'unstash'] as const)
          await expect(act(verb, bad), verb).rejects.toThrow('is no job');
        await expect(act('make', bad, 'shed')).rejects.toThrow('is no job');
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
      if (what === 'file') fs.writeFileSync(place(), '');
      else fs.symlinkSync(what === 'link' ? outside : path.join(folder, 'nowhere'), place());
      const before = tree();
      for (const verb of ['make', 'remove', 'stash', 'unstash', 'read'] as const)
        await expect(act(verb), verb).rejects.toThrow('not a directory');
      expect(tree()).toEqual(before);
    });

    it('refuses a link in the place of a stash, or of all stashes', async () => {
      await act('make');
      fs.symlinkSync(outside, stash());
      for (const verb of ['stash', 'unstash', 'purge'] as const) await expect(act(verb), verb).rejects.toThrow('not a directory');
      fs.rmSync(path.join(root, '.stash'), { recursive: true });
      fs.symlinkSync(outside, path.join(root, '.stash'));
      for (const verb of ['stash', 'unstash', 'purge', 'remove'] as const)
        await expect(act(verb), verb).rejects.toThrow('not a directory');
      await expect(act('make', job, 'shed')).rejects.toThrow('not a directory');
    });

    it.each(['a link', 'a link to nothing', 'a file', 'a folder'])(
      'replaces %s where something new is to be made, and removes links with what holds them',
      async (what) => {
        const fresh = `${stash()}.new`;
        if (what === 'a file') fs.writeFileSync(fresh, '');
        else if (what === 'a folder') fs.cpSync(outside, fresh, { recursive: true });
        else fs.symlinkSync(what === 'a link' ? outside : '/nonexistent', fresh);
        await act('make');
        fs.symlinkSync(outside, path.join(place(), 'inside'));
        await act('remove');
        expect(tree()).toEqual(['.stash/']);
      },
    );

    it('believes no marker that is a link or names no job', async () => {
      fs.mkdirSync(place());
      fs.symlinkSync(path.join(outside, 'devserver-job'), path.join(place(), 'devserver-job'));
      expect(await act('read')).toEqual({ present: true });
      await expect(act('remove')).rejects.toThrow('was not made by this job');
      fs.rmSync(path.join(place(), 'devserver-job'));
      fs.mkdirSync(path.join(place(), 'devserver-job'));
      expect(await act('read')).toEqual({ present: true });
      fs.rmdirSync(path.join(place(), 'devserver-job'));
      fs.writeFileSync(path.join(place(), 'devserver-job'), '../../x');
      expect(await act('read')).toEqual({ present: true });
    });
  });
}
