import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blockWriter } from '../../../provision/backup/block-writer.ts';
import { type PlacedEntry, startWarmer, type Warmer, warmed } from '../../../provision/backup/warm.ts';
import { written } from '../../../provision/backup/written.ts';
import { randomFrom } from '../../support/random.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const entry = (name: string, size: number, source?: string): PlacedEntry => ({
  ...{ kind: source === undefined ? 'd' : 'f', path: name, size, mtime: 0, content: () => [] },
  ...(source === undefined ? {} : { source }),
});

describe('reading ahead', () => {
  it('keeps the order, names each file once, and is never further in front than it may be', () => {
    const sizes = Array.from({ length: 3000 }, (_, index) => (index % 7 === 0 ? 0 : index % 500 === 3 ? 90 << 20 : 4000));
    const all = sizes.map((size, index) => entry(`e${index}`, size, index % 7 === 0 ? undefined : `/place/${index}`));
    const asked: string[] = [];
    let given = 0;
    let furthest = 0;
    const warmer: Warmer = {
      read: (places) => {
        asked.push(...places);
        furthest = Math.max(furthest, asked.length - given);
      },
      close: async () => {},
    };
    const seen: string[] = [];
    for (const { path: name, source } of warmed(all, warmer)) {
      seen.push(name);
      if (source !== undefined) given += 1;
    }
    expect(seen).toEqual(all.map((it) => it.path));
    expect(asked).toEqual(all.flatMap(({ source }) => source ?? []));
    expect(furthest).toBeLessThanOrEqual(512);
    expect(furthest).toBeGreaterThan(100);
  });

  it('by a real thread survives what is not there, and ends', async () => {
    const file = path.join(folder, 'file');
    writeFileSync(file, 'x'.repeat(3 << 20));
    const warmer = startWarmer();
    warmer.read([path.join(folder, 'missing'), folder, file]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await warmer.close();
    warmer.read([file]);
  });
});

describe('what is written in blocks', () => {
  it('is what was given, whatever its pieces; the pieces may be used again at once', async () => {
    const random = randomFrom(process.env.DEVSERVER_SEED ?? '7');
    for (const lengths of [
      [],
      [0],
      [1],
      [1 << 20],
      [(1 << 20) + 1],
      [3_500_000],
      Array.from({ length: 400 }, () => Math.floor(random() * 20_000)),
    ]) {
      const expected: Buffer[] = [];
      const piece = Buffer.alloc(4 << 20);
      const stream = async function* (): AsyncGenerator<Uint8Array> {
        for (const length of lengths) {
          for (let at = 0; at < length; at += 1) piece[at] = Math.floor(random() * 256);
          expected.push(Buffer.from(piece.subarray(0, length)));
          yield piece.subarray(0, length);
        }
      };
      const file = path.join(folder, `f${lengths.length}-${lengths[0] ?? ''}`);
      expect(await written(file, stream())).toBe(lengths.reduce((sum, it) => sum + it, 0));
      expect(readFileSync(file).equals(Buffer.concat(expected))).toBe(true);
    }
  });

  it('goes to each of several files, small and large', async () => {
    const { take, end } = blockWriter();
    for (const [index, size] of [5, 2_500_000, 0, 7].entries()) {
      const file = path.join(folder, String(index));
      const descriptor = openSync(file, 'w');
      await take(descriptor, Buffer.alloc(size, index + 1));
      await end(descriptor);
      closeSync(descriptor);
      expect(readFileSync(file).equals(Buffer.alloc(size, index + 1))).toBe(true);
    }
  });

  it.runIf(process.platform === 'linux')('fails where the disk is full, and nothing is left waiting', async () => {
    const { take, end } = blockWriter();
    const descriptor = openSync('/dev/full', 'w');
    await expect(
      (async () => {
        await take(descriptor, Buffer.alloc(5 << 20));
        await end(descriptor);
      })(),
    ).rejects.toMatchObject({ code: 'ENOSPC' });
    await end(descriptor).catch(() => {});
    closeSync(descriptor);
  });
});
