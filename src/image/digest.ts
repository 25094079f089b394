import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { System } from '../kernel/system.ts';
import { toolCommand } from './tools.ts';

const step = 4 << 20;

/** SHA-256 (hex) of a file, read through one buffer: a stream's would be new ones each time. */
export async function digestOf(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    return await hashed(handle, [{ start: 0, length: size, data: true }]);
  } finally {
    await handle.close();
  }
}

/**
 * The same of a file with holes, which are not read: reading one for the first time costs the kernel more than the hashing.
 * qemu-img(1) tells where they are.
 */
export async function digestOfSparse(file: string, tools: string, system: System): Promise<string> {
  const { stdout } = await system.run(toolCommand(tools, 'qemu-img', ['map', '-f', 'raw', '--output=json', file]));
  const handle = await open(file, 'r');
  try {
    return await hashed(handle, JSON.parse(stdout) as Stretch[]);
  } finally {
    await handle.close();
  }
}

/** Bytes that follow one another, or zeros. */
interface Stretch {
  readonly start: number;
  readonly length: number;
  readonly data: boolean;
}

async function hashed(handle: FileHandle, stretches: readonly Stretch[]): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(step);
  const zeros = Buffer.alloc(step);
  for (const { start, length, data } of stretches)
    for (let done = 0; done < length; done += step) {
      const wanted = Math.min(step, length - done);
      if (data) await update(hash, handle, buffer.subarray(0, wanted), start + done);
      else hash.update(zeros.subarray(0, wanted));
    }
  return hash.digest('hex');
}

async function update(hash: Hash, handle: FileHandle, into: Buffer, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw new Error('the file became shorter while it was read');
    done += bytesRead;
  }
  hash.update(into);
}
