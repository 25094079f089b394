import { BackupFault } from './fault.ts';

/** A stream read in pieces of the wanted length; holds one chunk of it. */
export interface ByteReader {
  /** Exactly so many bytes, at most a few MiB. @throws BackupFault when it ends before. */
  readonly take: (length: number) => Promise<Buffer>;
  /** So many bytes, as they come. @throws BackupFault when it ends before. */
  readonly pass: (length: number) => AsyncGenerator<Buffer>;
  /** All that is left. */
  readonly rest: () => AsyncGenerator<Buffer>;
  /** Ends whatever the stream comes from. */
  readonly close: () => Promise<void>;
}

/** Reads `stream` once, from its start. */
export function readBytes(stream: AsyncIterable<Uint8Array>): ByteReader {
  const source = stream[Symbol.asyncIterator]();
  let chunk: Buffer = Buffer.alloc(0);
  const fill = async (): Promise<boolean> => {
    while (chunk.length === 0) {
      const { value, done } = await source.next();
      if (done === true) return false;
      chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    return true;
  };
  const some = async (most: number): Promise<Buffer> => {
    if (!(await fill())) throw new BackupFault('damaged', 'it ends in the middle');
    const piece = chunk.subarray(0, most);
    chunk = chunk.subarray(piece.length);
    return piece;
  };
  return {
    take: async (length) => {
      if (chunk.length >= length) return some(length);
      const pieces: Buffer[] = [];
      for (let left = length; left > 0; left -= pieces.at(-1)?.length ?? 0) pieces.push(await some(left));
      return Buffer.concat(pieces, length);
    },
    pass: async function* (length) {
      for (let left = length; left > 0; ) {
        const piece = await some(left);
        left -= piece.length;
        yield piece;
      }
    },
    close: async () => {
      await source.return?.();
    },
    rest: async function* () {
      while (await fill()) {
        const piece = chunk;
        chunk = chunk.subarray(chunk.length);
        yield piece;
      }
    },
  };
}
