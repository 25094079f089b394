import { expect, test } from 'vitest';
import { realSystem } from '../../src/kernel/system.ts';

const system = realSystem();
const sh = (script: string) => ({ file: 'sh', args: ['-c', script] });
/** More than a pipe takes at once. */
const piece = Buffer.alloc(1 << 20, 'x');

test('standard input is written while the program runs, no faster than it takes it', async () => {
  let written = 0;
  const { stdout } = await system.run({
    ...sh('sleep 0.2; wc -c'),
    feed: async (write) => {
      for (let count = 0; count < 8; count += 1) {
        await write(piece);
        written += piece.length;
      }
    },
  });
  expect([stdout.trim(), written]).toEqual([String(8 * piece.length), 8 * piece.length]);
});

test('what goes wrong with the writing is told, and the program gets no more', async () => {
  const fault = new Error('the source is gone');
  const running = system.run({ ...sh('cat > /dev/null'), feed: () => Promise.reject(fault) });
  await expect(running).rejects.toBe(fault);
});

test('a program that fails before it has read all is heard itself', async () => {
  const running = system.run({ ...sh('echo "no such thing" >&2; exit 3'), feed: (write) => write(piece) });
  await expect(running).rejects.toMatchObject({ message: 'sh ended with code 3' });
});

test('so is one that ends between two pieces', async () => {
  const feed = async (write: (bytes: Uint8Array) => Promise<void>): Promise<void> => {
    for (let count = 0; count < 3; count += 1) {
      await write(Buffer.from('x'));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  };
  const running = system.run({ ...sh('head -c 1 > /dev/null; echo "no room" >&2; exit 3'), feed });
  await expect(running).rejects.toMatchObject({ message: 'sh ended with code 3', details: expect.arrayContaining(['no room']) });
});

test('a program that is content without reading all is not believed', async () => {
  const feed = async (write: (bytes: Uint8Array) => Promise<void>): Promise<void> => {
    for (let count = 0; count < 8; count += 1) await write(piece);
  };
  await expect(system.run({ ...sh('exit 0'), feed })).rejects.toMatchObject({ code: 'EPIPE' });
});
