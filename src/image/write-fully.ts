import type { FileHandle } from 'node:fs/promises';

/**
 * Writes all of `bytes`, at `position` or behind what was written last. One write alone may take only a part
 * of them, which is how a disk that is nearly full answers; the next one then fails.
 */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position?: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? null : position + done;
    done += (await handle.write(bytes, done, bytes.length - done, at)).bytesWritten;
  }
}
