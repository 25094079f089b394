import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backupName, backupsIn, isPartial, newestIn } from '../../../provision/backup/names.ts';
import { prunable, prune } from '../../../provision/backup/prune.ts';

let folder = '';
const day = (number: number): string => backupName('a', new Date(Date.UTC(2026, 0, number)));
const put = (...names: string[]): void => {
  for (const name of names) writeFileSync(path.join(folder, name), 'x');
};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('backups in a folder', () => {
  it('are known by their names, of each host in order of time', () => {
    expect(day(3)).toBe('a-20260103T000000Z.devserver');
    put(day(2), day(1), 'b-20250101T000000Z.devserver', `${day(3)}.partial`, 'a.devserver', `${day(1)}.protected`, 'letter.txt');
    expect(backupsIn(folder).map(({ file, host, isProtected }) => [path.basename(file), host, isProtected])).toEqual([
      [day(1), 'a', true],
      [day(2), 'a', false],
      ['b-20250101T000000Z.devserver', 'b', false],
    ]);
    // of whichever host
    put('b-20270101T000000Z.devserver');
    expect(path.basename(newestIn(folder)?.file ?? '')).toBe('b-20270101T000000Z.devserver');
    expect([isPartial(`${day(3)}.partial`, 'a'), isPartial(`${day(3)}.partial`, 'b'), isPartial(day(3), 'a')]).toEqual([
      ...[true, false, false],
    ]);
  });

  it('go from the oldest on, but for so many, the protected ones and those of others', () => {
    put(...[1, 2, 3, 4, 5].map(day), `${day(2)}.protected`, 'b-20200101T000000Z.devserver', 'letter.txt');
    expect(prune(folder, 'a', 2).map(({ file }) => path.basename(file))).toEqual([day(1), day(3)]);
    expect(readdirSync(folder).sort()).toEqual(
      [day(2), `${day(2)}.protected`, day(4), day(5), 'b-20200101T000000Z.devserver', 'letter.txt'].sort(),
    );
    expect(prune(folder, 'a', 9)).toEqual([]);
  });

  it('never go all', () => {
    put(day(1), day(2));
    for (const keep of [0, -3, 1])
      expect(prunable(backupsIn(folder), 'a', keep).map(({ file }) => path.basename(file))).toEqual([day(1)]);
  });
});
