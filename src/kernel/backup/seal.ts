import { createHash } from 'node:crypto';
import { BackupFault } from './fault.ts';

const word = Buffer.from('DVSRVBK1', 'latin1');
const digestBytes = 32;
/** A skippable frame: magic, length, word, digest. Zstandard, RFC 8878 section 3.1.2. */
export const sealBytes = 8 + word.length + digestBytes;

/** Passes the compressed stream on and ends it with the frame that bears the digest of all of it. */
export async function* sealed(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of compressed) {
    hash.update(chunk);
    yield chunk;
  }
  yield sealOf(hash.digest());
}

function sealOf(digest: Uint8Array): Buffer {
  const frame = Buffer.alloc(sealBytes);
  frame.writeUInt32LE(0x184d2a5d, 0);
  frame.writeUInt32LE(word.length + digestBytes, 4);
  word.copy(frame, 8);
  frame.set(digest, 8 + word.length);
  return frame;
}

/** Whether these are the seal of bytes with a digest. */
export function isSealOf(digest: Uint8Array, seal: Buffer): boolean {
  return seal.equals(sealOf(digest));
}

/**
 * Passes on what stands before the seal. @throws BackupFault at the end, when the seal is missing or is another's: what was
 * passed on until then counts for nothing.
 */
export async function* unsealed(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  // never more than the seal's length
  let kept: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    const all = kept.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([kept, chunk]);
    const certain = Math.max(0, all.length - sealBytes);
    const before = all.subarray(0, certain);
    // a copy: whoever gave the chunk may write into it again
    kept = Buffer.from(all.subarray(certain));
    if (certain === 0) continue;
    hash.update(before);
    yield before;
  }
  if (kept.length < sealBytes) throw new BackupFault('damaged', 'it ends in the middle');
  if (!isSealOf(hash.digest(), kept)) throw new BackupFault('damaged', 'bytes of it were changed, or its end is missing');
}
