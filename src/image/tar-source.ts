import { type FileHandle, open } from 'node:fs/promises';

/** Random access to an archive. */
export interface TarSource {
  readonly size: number;
  readonly read: (offset: number, length: number) => Promise<Buffer>;
  readonly close: () => Promise<void>;
}

/** An archive in memory. */
export function tarFromBytes(bytes: Buffer): TarSource {
  return {
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
    close: async () => {},
  };
}

/** An archive in a file. */
export async function tarFromFile(file: string): Promise<TarSource> {
  const handle = await open(file, 'r');
  const { size } = await handle.stat();
  return { size, read: (offset, length) => readFully(handle, offset, length), close: () => handle.close() };
}

/** Reads of a few bytes, served from large ones: headers are small and files mostly too. */
export function windowedReader(source: TarSource): (offset: number, length: number) => Promise<Buffer> {
  const windowSize = 1 << 20;
  let window: Buffer = Buffer.alloc(0);
  let at = 0;
  return async (offset, length) => {
    if (offset < at || offset + length > at + window.length) {
      at = offset;
      window = await source.read(offset, Math.min(Math.max(length, windowSize), source.size - offset));
    }
    return window.subarray(offset - at, offset - at + length);
  };
}

async function readFully(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) throw new Error('the archive ends within an entry');
    done += bytesRead;
  }
  return buffer;
}
