import { BackupFault } from './fault.ts';

/** What a reader has to keep of a frame's output. Writers stay far below; a frame may ask for terabytes. */
export const mostWindow = 8 << 20;

const mostBlock = 128 << 10;

/** How far the walk is: what the next bytes are. */
type State = 'frame' | 'block' | 'skip';

/**
 * The same stream, as long as its zstd frames ask for no more memory than a backup's may; RFC 8878, sections 3.1.1 and 3.1.2.
 * Nothing of a chunk is passed on before it has been looked at.
 * @throws BackupFault
 */
export async function* plainFrames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let state = 'frame' as State;
  let after: State = 'frame';
  let held: Buffer = Buffer.alloc(0);
  let skip = 0;
  let checksum = 0;

  /** Looks at what is held; false: there is too little yet. */
  const isWhole = (): boolean => {
    if (state === 'frame') {
      const head = frameHead(held);
      if (head === undefined) return false;
      ({ checksum } = head);
      [skip, after, state] = [head.skip, head.isData ? 'block' : 'frame', 'skip'];
      return true;
    }
    if (held.length < 3) return false;
    const word = held.readUIntLE(0, 3);
    const [isLast, type, size] = [(word & 1) === 1, (word >> 1) & 3, word >> 3];
    // RFC 8878, section 3.1.1.2.4: whatever the window, a block makes no more of it
    if (type === 3 || size > mostBlock) throw new BackupFault('damaged', 'its compressed data is damaged');
    skip = (type === 1 ? 1 : size) + (isLast ? checksum : 0);
    [after, state] = [isLast ? 'frame' : 'block', 'skip'];
    return true;
  };

  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; ) {
      if (state === 'skip') {
        const length = Math.min(skip, chunk.length - at);
        at += length;
        skip -= length;
        if (skip === 0) state = after;
        continue;
      }
      // heads are short: one byte more each time, until one is whole
      held = Buffer.concat([held, chunk.subarray(at, at + 1)]);
      at += 1;
      if (!isWhole()) continue;
      held = Buffer.alloc(0);
      if (skip === 0) state = after;
    }
    yield chunk;
  }
}

interface FrameHead {
  /** Bytes of no interest behind it. */
  readonly skip: number;
  readonly isData: boolean;
  readonly checksum: number;
}

/** Reads a frame's head; undefined: it is not whole yet. */
function frameHead(bytes: Buffer): FrameHead | undefined {
  if (bytes.length < 5) return undefined;
  const magic = bytes.readUInt32LE(0);
  if (magic >>> 4 === 0x184d2a5) {
    if (bytes.length < 8) return undefined;
    return { skip: bytes.readUInt32LE(4), isData: false, checksum: 0 };
  }
  if (magic !== 0xfd2fb528) throw new BackupFault('damaged', 'its compressed data is damaged');
  const descriptor = bytes[4] ?? 0;
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const length = 5 + (isSingle ? 0 : 1) + dictionary + sizeBytes;
  if (bytes.length < length) return undefined;
  const window = isSingle ? contentSize(bytes.subarray(length - sizeBytes, length)) : windowSize(bytes[5] ?? 0);
  if (window > mostWindow)
    throw new BackupFault('refused', `its compressed data asks for ${Math.ceil(window / 2 ** 20)} MiB of memory`);
  return { skip: 0, isData: true, checksum: (descriptor & 4) === 0 ? 0 : 4 };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(field: Buffer): number {
  if (field.length === 8) return Number(field.readBigUInt64LE());
  const value = field.readUIntLE(0, field.length);
  return field.length === 2 ? value + 256 : value;
}
