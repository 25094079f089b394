import { write, writeSync } from 'node:fs';
import { promisify } from 'node:util';

const blockBytes = 1 << 20;

/** Writes files in blocks: while one is on its way to the disk, the next is filled. */
export interface BlockWriter {
  /** Takes a copy of a piece of the file; waits for the disk only when that is behind by a block. */
  readonly take: (descriptor: number, piece: Uint8Array) => Promise<void>;
  /** Until all that was taken is written; also to be called where something failed, before the descriptor is closed. */
  readonly end: (descriptor: number) => Promise<void>;
}

/** One for any number of files, one after the other. */
export function blockWriter(): BlockWriter {
  let [block, other] = [Buffer.allocUnsafeSlow(blockBytes), Buffer.allocUnsafeSlow(blockBytes)];
  let filled = 0;
  let under: Promise<void> | undefined;
  const settled = async (): Promise<void> => {
    const last = under;
    under = undefined;
    await last;
  };
  const send = async (descriptor: number): Promise<void> => {
    await settled();
    const whole = block.subarray(0, filled);
    [block, other] = [other, block];
    filled = 0;
    under = writeAll(descriptor, whole);
    // told when the next one is to be written
    under.catch(() => {});
  };
  return {
    take: async (descriptor, piece) => {
      for (let at = 0; at < piece.length; ) {
        const length = Math.min(blockBytes - filled, piece.length - at);
        block.set(piece.subarray(at, at + length), filled);
        filled += length;
        at += length;
        if (filled === blockBytes) await send(descriptor);
      }
    },
    end: async (descriptor) => {
      const last = block.subarray(0, filled);
      filled = 0;
      await settled();
      // most files are small: for them this is all
      for (let at = 0; at < last.length; ) at += writeSync(descriptor, last, at);
    },
  };
}

const writeSome = promisify(write);

async function writeAll(descriptor: number, block: Uint8Array): Promise<void> {
  for (let at = 0; at < block.length; ) at += (await writeSome(descriptor, block, at)).bytesWritten;
}
