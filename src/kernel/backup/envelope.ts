import { closeSync, openSync, readSync } from 'node:fs';
import { BackupFault } from './fault.ts';
import { through } from './filter.ts';
import { plainFrames } from './frames.ts';
import { sealed, unsealed } from './seal.ts';

/** What takes the outer layers of a backup off where there are no programs for it. */
export interface Opener {
  /** Takes age's layer off. */
  readonly decrypted: (stream: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  readonly decompressed: (stream: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

/** The public half of one of age's X25519 keys. */
export const recipientPattern = /^age1[0-9a-z]{58}$/;

/** The secret half of such a key, a line of this text; undefined: there is none. */
export function secretKeyIn(text: string): string | undefined {
  return /^AGE-SECRET-KEY-1[0-9A-Z]{58}$/m.exec(text)?.[0];
}

const ageWord = Buffer.from('age-encryption.org/v1\n', 'latin1');
const zstdWord = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** How many bytes tell what a file begins as. */
export const wordBytes = ageWord.length;
export const isAgeWord = (first: Buffer): boolean => first.subarray(0, ageWord.length).equals(ageWord);
export const isZstdWord = (first: Buffer): boolean => first.subarray(0, zstdWord.length).equals(zstdWord);
/** What begins as neither. */
export const noBackup = (): BackupFault => new BackupFault('refused', 'it is no backup: it begins as neither age nor zstd do');
export const changedBytes = (): BackupFault => new BackupFault('damaged', 'bytes of it were changed, or its end is missing');
export const noKey = (): BackupFault => new BackupFault('locked', 'it is encrypted, and no key is given');
export const wrongKey = (): BackupFault => new BackupFault('locked', 'the key that is given does not open it');
export const damagedFrames = (): BackupFault => new BackupFault('damaged', 'its compressed data is damaged');

/** Whether a file begins as age's do. */
export function isEncrypted(file: string): boolean {
  const descriptor = openSync(file, 'r');
  try {
    const first = Buffer.alloc(wordBytes);
    return isAgeWord(first.subarray(0, readSync(descriptor, first, 0, first.length, 0)));
  } finally {
    closeSync(descriptor);
  }
}

/** The archive within a backup: age's layer, where there is one, the seal and zstd's taken off. @throws BackupFault */
export async function* openEnvelope(file: AsyncIterable<Uint8Array>, opener: Opener): AsyncGenerator<Uint8Array> {
  const source = file[Symbol.asyncIterator]();
  try {
    const first = await beginning(source);
    if (!isAgeWord(first) && !isZstdWord(first)) throw noBackup();
    const all = continued(first, source);
    yield* opener.decompressed(plainFrames(unsealed(isAgeWord(first) ? opener.decrypted(all) : all)));
  } finally {
    // also where nobody began to read what comes behind the beginning: a program that gives it would wait for ever
    await source.return?.();
  }
}

/** Enough of a stream to tell what it is. */
async function beginning(source: AsyncIterator<Uint8Array>): Promise<Buffer> {
  let first: Buffer = Buffer.alloc(0);
  while (first.length < wordBytes) {
    const { value, done } = await source.next();
    if (done === true) break;
    first = Buffer.concat([first, value]);
  }
  return first;
}

async function* continued(first: Buffer, source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
}

/** How a backup is closed. */
export interface Closing {
  /** zstd's. */
  readonly level: number;
  /** Public halves of age's keys; none: not encrypted. */
  readonly recipients: readonly string[];
}

/** The backup's bytes around an archive: compressed by all processors, sealed, encrypted. */
export async function* closeEnvelope(
  archive: AsyncIterable<Uint8Array>,
  { level, recipients }: Closing,
): AsyncGenerator<Uint8Array> {
  const args = ['--compress', '--stdout', '--quiet', '--threads=0', `-${level}`];
  const compressed = sealed(through({ file: 'zstd', args, hint: 'install zstd' }, archive));
  if (recipients.length === 0) yield* compressed;
  else {
    const to = recipients.flatMap((key) => ['--recipient', key]);
    yield* through({ file: 'age', args: ['--encrypt', ...to], hint: 'install age' }, compressed);
  }
}
