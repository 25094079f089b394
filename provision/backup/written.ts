import { closeSync, fsyncSync, openSync } from 'node:fs';
import { blockWriter } from './block-writer.ts';

/** Writes a new file and has it on the medium; its length. */
export async function written(file: string, stream: AsyncIterable<Uint8Array>): Promise<number> {
  const descriptor = openSync(file, 'wx', 0o600);
  const { take, end } = blockWriter();
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      await take(descriptor, chunk);
      bytes += chunk.length;
    }
    await end(descriptor);
    fsyncSync(descriptor);
  } finally {
    // nothing may be on its way to a descriptor that is closed
    await end(descriptor).catch(() => {});
    closeSync(descriptor);
  }
  return bytes;
}
