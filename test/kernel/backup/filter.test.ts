import { describe, expect, it } from 'vitest';
import { libraries } from '../../../src/commands/backup-libraries.ts';
import { closeEnvelope, openEnvelope } from '../../../src/kernel/backup/envelope.ts';
import { FilterError, through } from '../../../src/kernel/backup/filter.ts';
import { readHeader } from '../../../src/kernel/backup/read.ts';
import { writeBackup } from '../../../src/kernel/backup/write.ts';
import { collected, headerOf, pieces } from '../../support/backup-tree.ts';

const filter = (file: string, ...args: string[]): { file: string; args: string[]; hint: string } => ({
  file,
  args,
  hint: `install ${file}`,
});
const much = Buffer.alloc(20 << 20, 'much ');

/** Gives without end, and tells whether it was ended. */
function endless(): { stream: AsyncGenerator<Buffer>; ended: () => boolean } {
  let isOver = false;
  const stream = (async function* () {
    try {
      for (;;) yield much.subarray(0, 1 << 16);
    } finally {
      isOver = true;
    }
  })();
  return { stream, ended: () => isOver };
}

describe('a program in a pipe', () => {
  it('gets all of a stream and gives all of its own', async () => {
    expect((await collected(through(filter('cat'), pieces(much, 70_001)))).equals(much)).toBe(true);
    expect((await collected(through(filter('true'), pieces(much, 70_001)))).length, 'who reads nothing fails nobody').toBe(0);
  });

  it('is told when it fails, with what it said, also while it is fed', async () => {
    const failing = through(filter('sh', '-c', 'head --bytes 10; echo it broke >&2; exit 3'), pieces(much, 1 << 16));
    await expect(collected(failing)).rejects.toMatchObject({ message: 'sh ended with 3', said: 'it broke' });
    await expect(collected(through(filter('sh', '-c', 'kill -9 $$'), pieces(much, 1 << 16)))).rejects.toBeInstanceOf(FilterError);
    await expect(collected(through(filter('no-such-program'), pieces(much, 9)))).rejects.toThrow(/is not there: install no-such/);
  });

  it('ends with what feeds it, and with who reads it', async () => {
    const source = (async function* () {
      yield much.subarray(0, 1000);
      throw new Error('the source broke');
    })();
    await expect(collected(through(filter('cat'), source))).rejects.toThrow('the source broke');
    const { stream, ended } = endless();
    for await (const piece of through(filter('cat'), stream)) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    await expect.poll(ended).toBe(true);
  });
});

describe('the outer layers of a backup', () => {
  const archive = (): AsyncIterable<Uint8Array> =>
    writeBackup({ header: headerOf([]), pause: 0, open: () => ({ entries: none(), leftOut: () => [] }) });
  async function* none(): AsyncGenerator<never> {}

  it('end what gives the file, also where nobody begins to read it', async () => {
    const beginning = { none: 'x'.repeat(100), locked: 'age-encryption.org/v1\n-> X25519' };
    for (const [why, text] of Object.entries(beginning)) {
      let isOver = false;
      const stream = (async function* () {
        try {
          for (;;) yield Buffer.from(text);
        } finally {
          isOver = true;
        }
      })();
      await expect(readHeader(openEnvelope(stream, libraries(undefined))), why).rejects.toThrow(/no key is given|no backup/);
      expect(isOver, why).toBe(true);
    }
  });

  it('come off again; a header is read without the rest', async () => {
    const bytes = await collected(closeEnvelope(archive(), { level: 3, recipients: [] }));
    const whole = await collected(archive());
    expect((await collected(openEnvelope(pieces(bytes, 50), libraries(undefined)))).equals(whole)).toBe(true);
    expect(await readHeader(openEnvelope(pieces(bytes, 50), libraries(undefined)))).toEqual(headerOf([]));
  });

  it('are told apart from what is none, what is locked and what was changed', async () => {
    const reasonOf = (bytes: Buffer): Promise<string> =>
      collected(openEnvelope(pieces(bytes, 50), libraries(undefined))).then(
        () => 'taken',
        (error: { reason?: string }) => error.reason ?? String(error),
      );
    const bytes = await collected(closeEnvelope(archive(), { level: 3, recipients: [] }));
    expect(await reasonOf(Buffer.alloc(0))).toBe('refused');
    expect(await reasonOf(Buffer.from('root:x:0:0:'))).toBe('refused');
    expect(await reasonOf(Buffer.from('age-encryption.org/v1\n-> X25519 x\n'))).toBe('locked');
    for (let at = 4; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 16;
      expect(await reasonOf(changed), `byte ${at}`).toBe('damaged');
    }
    expect(await reasonOf(bytes.subarray(0, -1))).toBe('damaged');
  });
});
