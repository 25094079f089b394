import { readFileSync } from 'node:fs';
import { ReadableStream } from 'node:stream/web';
import type { Opener } from '../kernel/backup/envelope.ts';
import { BackupFault } from '../kernel/backup/fault.ts';

/** Takes a backup's layers off by libraries: any computer with Node.js has them. @param keys text of a file with age's keys. */
export function libraries(keys: string | undefined): Opener {
  return { decrypted: (stream) => decrypted(stream, keys), decompressed };
}

/** A file of `age-keygen`: one key a line, comments between. @throws BackupFault when there is none in it. */
export function keysIn(file: string): string {
  const keys = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.startsWith('AGE-SECRET-KEY-1'));
  if (keys.length === 0)
    throw new BackupFault('locked', `${file} holds no key`, { hint: 'a line of it begins with AGE-SECRET-KEY-1' });
  return keys.join('\n');
}

async function* decrypted(stream: AsyncIterable<Uint8Array>, keys: string | undefined): AsyncGenerator<Uint8Array> {
  if (keys === undefined) throw new BackupFault('locked', 'it is encrypted, and no key is given');
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const key of keys.split('\n')) {
    try {
      decrypter.addIdentity(key);
    } catch (error) {
      throw new BackupFault('locked', 'a key that is given is none of age', { cause: error });
    }
  }
  // an error of whoever reads the file is no fault of its bytes
  let failure: { readonly error: unknown } | undefined;
  const told = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* stream;
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
  try {
    const opened = await decrypter.decrypt(ReadableStream.from(told()) as never);
    for await (const chunk of opened as unknown as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    if (failure !== undefined) throw failure.error;
    if (error instanceof Error && /no identity matched/i.test(error.message))
      throw new BackupFault('locked', 'the key that is given does not open it', { cause: error });
    throw new BackupFault('damaged', 'bytes of it were changed, or its end is missing', { cause: error });
  }
}

async function* decompressed(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import('fzstd');
  let ready: Uint8Array[] = [];
  const decompress = new Decompress((chunk) => void ready.push(chunk.slice()));
  const push = (chunk: Uint8Array, isLast: boolean): void => {
    try {
      decompress.push(chunk, isLast);
    } catch (error) {
      throw new BackupFault('damaged', 'its compressed data is damaged', { cause: error });
    }
  };
  for await (const chunk of stream) {
    // four bytes may become 128 KiB
    for (let at = 0; at < chunk.length; at += 256) {
      push(chunk.subarray(at, at + 256), false);
      const done = ready;
      ready = [];
      yield* done;
    }
  }
  push(new Uint8Array(0), true);
  yield* ready;
}
