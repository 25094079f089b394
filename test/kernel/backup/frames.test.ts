import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { plainFrames } from '../../../src/kernel/backup/frames.ts';
import { collected, pieces } from '../../support/backup-tree.ts';

const zstd = (input: Buffer, ...args: string[]): Buffer => {
  const { status, stdout } = spawnSync('zstd', ['--compress', '--stdout', '--quiet', ...args], { input, maxBuffer: 1 << 28 });
  expect(status).toBe(0);
  return stdout;
};
const text = Buffer.from(Array.from({ length: 60_000 }, (_, index) => `line ${index % 977}`).join('\n'));
const skippable = Buffer.concat([Buffer.from([0x5d, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('abc')]);

describe('the frames of compressed data', () => {
  it('pass as they are, however they were made and in whatever pieces they come', async () => {
    const kinds = [
      zstd(text, '-3'),
      zstd(text, '-19', '--no-check'),
      zstd(text, '-3', `--stream-size=${text.length}`),
      zstd(Buffer.alloc(0)),
      zstd(Buffer.alloc(3 << 20)),
    ];
    const whole = Buffer.concat([...kinds, skippable, ...kinds.toReversed(), skippable]);
    for (const size of [1, 7, 4096, whole.length])
      expect((await collected(plainFrames(pieces(whole, size)))).equals(whole), `pieces of ${size}`).toBe(true);
  });

  it('may not ask for more memory than a backup needs, also behind good ones', async () => {
    const hungry = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0]);
    const single = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0]);
    for (const bad of [hungry, single])
      for (const before of [Buffer.alloc(0), zstd(text), Buffer.concat([zstd(text), skippable])])
        await expect(collected(plainFrames(pieces(Buffer.concat([before, bad]), 100)))).rejects.toThrow(
          /asks for \d+ MiB of memory/,
        );
  });

  it('have no block that becomes more than a block may', async () => {
    const rle = (size: number): Buffer => {
      const head = Buffer.alloc(3);
      head.writeUIntLE((size << 3) | 2 | 1, 0, 3);
      return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x50]), head, Buffer.from([0])]);
    };
    expect((await collected(plainFrames(pieces(rle(128 << 10), 100)))).length).toBe(10);
    await expect(collected(plainFrames(pieces(rle((128 << 10) + 1), 100)))).rejects.toThrow('damaged');
  });

  it('are frames, and nothing else', async () => {
    for (const bad of ['something else altogether', '\u0000'.repeat(30)])
      await expect(collected(plainFrames(pieces(Buffer.concat([zstd(text), Buffer.from(bad)]), 100)))).rejects.toThrow('damaged');
  });
});
