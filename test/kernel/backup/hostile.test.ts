import { describe, expect, it } from 'vitest';
import { BackupFault } from '../../../src/kernel/backup/fault.ts';
import { sealBytes, sealed } from '../../../src/kernel/backup/seal.ts';
import { bytesOf, collected, madeUpTree, pieces, readTree } from '../../support/backup-tree.ts';
import { counted } from '../../support/counted.ts';
import { membersOf, mutations } from '../../support/mutated-archive.ts';
import { randomFrom } from '../../support/random.ts';

const full = process.env.DEVSERVER_TEST_SIZE === 'full';
const seed = process.env.DEVSERVER_SEED ?? '4711';
const random = randomFrom(seed);
const mutated = mutations(random);

describe(`an archive somebody made (seed ${seed})`, () => {
  it('is refused with a reason, or holds nothing but plain entries of its own parts', { timeout: 600_000 }, async () => {
    const rounds = full ? 10_000 : 300;
    const ends = { taken: 0, damaged: 0, refused: 0, newer: 0, locked: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const whole = (await bytesOf(madeUpTree(random, 6))).subarray(0, -sealBytes);
      const bytes = await collected(sealed(pieces(mutated(membersOf(whole)), 4096)));
      try {
        const { tree, header } = await readTree(bytes, 4096);
        ends.taken += 1;
        for (const [part, entries] of tree) {
          expect(header.parts).toContain(part);
          for (const { path } of entries) expect(path).not.toMatch(/^\/|^$|\0|(?:^|\/)(?:\.{0,2})(?:\/|$)/);
          expect(new Set(entries.map(({ path }) => path)).size).toBe(entries.length);
        }
      } catch (error) {
        if (!(error instanceof BackupFault)) throw error;
        ends[error.reason] += 1;
      }
    }
    console.log(JSON.stringify(ends));
    counted({ mutatedArchives: rounds });
    expect(ends.refused, 'nothing was refused: the test does nothing').toBeGreaterThan(rounds / 4);
  });
});
