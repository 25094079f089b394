import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { giveUpTrial, settleRestore } from '../../../provision/restore/at-boot.ts';
import { goBack, goForth, movesFor, placesOf } from '../../../provision/restore/exchange.ts';
import { type RestoreRecord, readRecord, writeRecord } from '../../../provision/restore/record.ts';
import { applianceComponent } from '../../support/appliance.ts';

/** How many more renames there are before the power is gone; -1: it stays. */
const power = vi.hoisted(() => ({ left: -1 }));
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const renameSync: typeof real.renameSync = (from, to) => {
    if (power.left === 0) throw new Error('no power');
    if (power.left > 0) power.left -= 1;
    real.renameSync(from, to);
  };
  return { ...real, renameSync };
});

let top = '';
const folder = (): string => path.join(top, '.restore');
const catalogue = {
  components: [
    applianceComponent({
      name: 'x',
      state: ['/srv/both/in', '/srv/live', '/srv/fresh', '/srv/none', '/srv/.backup', '/srv/system/audit'].map((dir) => ({
        ...{ dir, as: 'root', mode: '0750' },
      })),
    }),
  ],
};

beforeEach(() => {
  power.left = -1;
  top = mkdtempSync(path.join(tmpdir(), 'folder-'));
  prepare();
});
afterEach(() => rmSync(top, { recursive: true }));

function prepare(): void {
  for (const name of ['both', 'live', 'system']) put(path.join(top, name), 'old');
  for (const name of ['both', 'fresh', 'system']) put(path.join(folder(), 'new', name), 'new');
  put(path.join(top, 'somebodys'), 'own');
  put(path.join(top, '.backup'), 'own');
}

function put(at: string, text: string): void {
  mkdirSync(at, { recursive: true });
  writeFileSync(path.join(at, 'who'), text);
}

function seen(): Record<string, string> {
  return Object.fromEntries(
    readdirSync(top)
      .filter((name) => name !== '.restore' && existsSync(path.join(top, name, 'who')))
      .map((name) => [name, readFileSync(path.join(top, name, 'who'), 'utf8')]),
  );
}

const own = { somebodys: 'own', '.backup': 'own' };
const before = { both: 'old', live: 'old', system: 'old', ...own };
const after = { both: 'new', fresh: 'new', system: 'new', ...own };

/** What the services do between the two: directories are there again, and something is written. */
function live(): void {
  for (const name of ['both', 'live', 'fresh', 'none', 'system']) put(path.join(top, name), 'written meanwhile');
}

describe('an exchange', () => {
  it('takes every directory of a component, and nothing else', () => {
    expect(movesFor(catalogue, placesOf(top, folder()))).toEqual([
      { name: 'both', live: true, fresh: true },
      { name: 'fresh', live: false, fresh: true },
      { name: 'live', live: true, fresh: false },
      { name: 'none', live: false, fresh: false },
      { name: 'system', live: true, fresh: true },
    ]);
  });

  it('is whole however often the power goes, forth and back', () => {
    const places = placesOf(top, folder());
    const moves = movesFor(catalogue, places);
    const again = (work: () => void): number => {
      let cuts = 0;
      for (let left = 0; ; left = (left + 1) % 3) {
        power.left = left;
        try {
          work();
          power.left = -1;
          return cuts;
        } catch (error) {
          expect((error as Error).message).toBe('no power');
          cuts += 1;
        }
      }
    };
    expect(again(() => goForth(moves, places))).toBeGreaterThan(2);
    expect(seen()).toEqual(after);
    expect(readFileSync(path.join(places.before, 'live/who'), 'utf8')).toBe('old');
    goForth(moves, places);
    expect(seen(), 'done again, it does nothing').toEqual(after);
    live();
    expect(again(() => goBack(moves, places))).toBeGreaterThan(2);
    expect(seen()).toEqual(before);
    goBack(moves, places);
    expect(seen()).toEqual(before);
  });
});

describe('a boot', () => {
  const gate = (): string => path.join(top, 'run/restoring');
  const settled = (): string => path.join(top, 'run/settled');
  let told: string[] = [];
  const boot = (): RestoreRecord | undefined => {
    rmSync(settled(), { force: true });
    told = [];
    settleRestore({ top, folder: folder(), gate: gate(), settled: settled() }, (text) => void told.push(text));
    return readRecord(folder());
  };
  const record = (changes: Partial<RestoreRecord> = {}): RestoreRecord => ({
    ...{ phase: 'switching', file: 'a.devserver', host: 'a', cut: '2026-11-25T10:00:00.000Z', at: '2026-11-25T11:00:00.000Z' },
    ...{ moves: movesFor(catalogue, placesOf(top, folder())), boots: 0, empty: [], projects: [], why: [], ...changes },
  });

  it('without a restore changes nothing and leaves the gate open', () => {
    mkdirSync(path.dirname(gate()), { recursive: true });
    writeFileSync(gate(), '');
    expect(boot()).toBeUndefined();
    expect(existsSync(gate())).toBe(false);
    expect(seen()).toEqual(before);
  });

  it('puts prepared data in place and closes the gate until it passed', () => {
    writeRecord(folder(), record());
    expect(boot()).toMatchObject({ phase: 'trying', boots: 1 });
    expect(existsSync(gate())).toBe(true);
    expect(seen()).toEqual(after);
    writeRecord(folder(), record({ phase: 'done' }));
    expect(boot()).toMatchObject({ phase: 'done' });
    expect(existsSync(gate())).toBe(false);
    expect(seen()).toEqual(after);
  });

  it('goes on where the power went', () => {
    const asked = record();
    writeRecord(folder(), asked);
    for (const left of [0, 1, 2]) {
      // nothing is written any more, not even that it went wrong
      power.left = left;
      expect(() => goForth(asked.moves, placesOf(top, folder()))).toThrow('no power');
    }
    power.left = -1;
    expect(boot()).toMatchObject({ phase: 'trying' });
    expect(seen()).toEqual(after);
  });

  it('brings the data before back when the exchange itself fails, and tells why', () => {
    for (const left of [0, 1, 2, 3]) {
      writeRecord(folder(), record());
      const moves = record().moves;
      power.left = left;
      expect(() => goForth(moves, placesOf(top, folder()))).toThrow();
      power.left = -1;
      rmSync(path.join(folder(), 'new'), { recursive: true });
      expect(boot()).toMatchObject({ phase: 'returned', why: [expect.stringContaining('what was prepared is gone')] });
      expect(existsSync(gate())).toBe(false);
      expect(seen()).toEqual(before);
      rmSync(top, { recursive: true });
      prepare();
    }
  });

  it('is one boot, whatever is started again in it', () => {
    writeRecord(folder(), record({ phase: 'trying' }));
    expect(boot()).toMatchObject({ boots: 1 });
    settleRestore({ top, folder: folder(), gate: gate(), settled: settled() }, () => {});
    expect(readRecord(folder())).toMatchObject({ boots: 1 });
    expect(existsSync(gate())).toBe(true);
  });

  it('comes up behind the closed gate when the record can not be read', () => {
    writeFileSync(path.join(folder(), 'record.json'), 'nonsense');
    expect(boot).toThrow();
    expect(told).toEqual([expect.stringContaining('the restore can')]);
    expect(existsSync(gate())).toBe(true);
    expect(seen()).toEqual(before);
  });

  it('that fails with restored data is its end', () => {
    writeRecord(folder(), record());
    expect(giveUpTrial(folder(), new Error('x'))).toBe(false);
    boot();
    live();
    expect(giveUpTrial(folder(), new Error('no certificate'))).toBe(true);
    expect(boot()).toMatchObject({ phase: 'returned', why: [expect.stringContaining('no certificate')] });
    expect(seen()).toEqual(before);
  });

  it('brings the data before back when it did not pass, or never came to the end of its trial', () => {
    writeRecord(folder(), record());
    boot();
    live();
    expect(boot()).toMatchObject({ phase: 'trying', boots: 2 });
    expect(boot()).toMatchObject({ phase: 'trying', boots: 3 });
    expect(boot()).toMatchObject({ phase: 'returned', why: [expect.stringContaining('3 boots')] });
    expect(existsSync(gate())).toBe(false);
    expect(seen()).toEqual(before);
    expect(boot()).toMatchObject({ phase: 'returned' });
    expect(seen()).toEqual(before);
  });

  it('keeps the lines of the audit log that was', () => {
    mkdirSync(path.join(top, 'system/audit'));
    writeFileSync(path.join(top, 'system/audit/2026-11.log'), 'line\n');
    writeRecord(folder(), record());
    boot();
    expect(readFileSync(path.join(top, 'system/audit/2026-11.before-20261125T110000Z.log'), 'utf8')).toBe('line\n');
    // where that can't be, the boot goes on all the same
    rmSync(path.join(top, 'system/audit'), { recursive: true });
    writeFileSync(path.join(top, 'system/audit'), 'no folder');
    writeRecord(folder(), record());
    expect(boot()).toMatchObject({ phase: 'trying' });
    expect(told).toContainEqual(expect.stringContaining('audit log'));
  });
});
