import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import {
  changedBytes,
  damagedFrames,
  isAgeWord,
  isZstdWord,
  noBackup,
  noKey,
  wordBytes,
  wrongKey,
} from '../../src/kernel/backup/envelope.ts';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import { FilterError, through } from '../../src/kernel/backup/filter.ts';
import { mostWindow } from '../../src/kernel/backup/frames.ts';
import { isSealOf, sealBytes } from '../../src/kernel/backup/seal.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { lastLines } from '../../src/kernel/system.ts';
import { keyOr } from './keys.ts';
import { digestBeside } from './seal-of-file.ts';

/**
 * The archive within a backup on this machine, its bytes as the medium has them and not as memory still does. The programs
 * take its layers off, each reading what the one before it writes; this process sees what comes out. What is encrypted is
 * authentic to the bit by that, else the seal is held beside.
 * @param given A file with the key; without it the appliance's own is tried. @throws BackupFault at the beginning or, whatever came until then, at the end.
 */
export async function* openedFile(file: string, given: string | undefined): AsyncGenerator<Uint8Array> {
  const descriptor = openSync(file, constants.O_RDONLY);
  try {
    const first = bytesAt(descriptor, 0, wordBytes);
    await forget(file);
    if (isAgeWord(first)) yield* decrypted(descriptor, keyOr(given));
    else if (isZstdWord(first)) yield* withSeal(descriptor);
    else throw noBackup();
  } finally {
    closeSync(descriptor);
  }
}

/** Has the system forget what it has in memory of a file. */
async function forget(file: string): Promise<void> {
  const args = [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none'];
  for await (const _ of through({ file: 'dd', args, hint: 'install coreutils' }, nothing()));
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* withSeal(descriptor: number): AsyncGenerator<Uint8Array> {
  const size = fstatSync(descriptor).size;
  const beside = digestBeside(descriptor, sealBytes);
  try {
    yield* outputOf([start('prlimit', zstdArgs, descriptor)]);
    const digest = await beside.digest;
    if (digest === undefined) throw new BackupFault('damaged', 'it ends in the middle');
    if (!isSealOf(Buffer.from(digest, 'hex'), bytesAt(descriptor, size - sealBytes, sealBytes))) throw changedBytes();
  } finally {
    await beside.close();
  }
}

async function* decrypted(descriptor: number, key: string | undefined): AsyncGenerator<Uint8Array> {
  if (key === undefined) throw noKey();
  const age = start('age', ['--decrypt', '--identity', key], descriptor);
  const zstd = start('prlimit', zstdArgs, age.child.stdout ?? 'ignore');
  // it is zstd's alone: when that ends, age hears of it
  age.child.stdout?.destroy();
  yield* outputOf([age, zstd]);
}

/** What zstd takes for frames may be xz and others too, whose memory it does not limit. */
const mostMemory = 256 << 20;
const zstdArgs = [`--as=${mostMemory}`, '--', 'zstd', '--decompress', '--stdout', '--quiet', `--memory=${mostWindow}`];

/** A program of the chain. */
interface Link {
  readonly file: string;
  readonly child: ChildProcess;
  /** How it ended: undefined well, else what it said. */
  readonly ended: Promise<string | undefined>;
}

function start(file: string, args: readonly string[], input: number | NonNullable<ChildProcess['stdout']> | 'ignore'): Link {
  const child = spawn(file, [...args], { stdio: [input, 'pipe', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (part: Buffer) => {
    said = `${said}${part.toString('utf8')}`.slice(-4000);
  });
  const ended = new Promise<string | undefined>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new FilterError(
          { file, args, hint: '' },
          { how: error.code === 'ENOENT' ? `is not there: install ${file}` : error.message, hasRun: false },
          '',
        ),
      ),
    );
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : `${said}\nended with ${signal ?? code}`));
  });
  ended.catch(() => {});
  return { file, child, ended };
}

/** What the last one writes. @throws BackupFault in words of the backup when one of them failed. */
async function* outputOf(chain: readonly Link[]): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of chain.at(-1)?.child.stdout ?? []) yield piece as Buffer;
    const said = await Promise.all(chain.map(({ ended }) => ended));
    for (const [index, text] of said.entries())
      if (text !== undefined) throw faultOf(chain[index]?.file ?? '', text, said.at(-1));
  } finally {
    for (const { child } of chain) child.kill('SIGKILL');
    // whoever unmounts the disk does it behind them
    await Promise.allSettled(chain.map(({ ended }) => ended));
  }
}

function faultOf(file: string, said: string, last: string | undefined): UserError {
  // it stopped because the one behind it did not want more
  const text = file === 'age' && last !== undefined && tooMuch.test(last) ? last : said;
  if (tooMuch.test(text))
    return new BackupFault('refused', `its compressed data asks for more than ${mostWindow / 2 ** 20} MiB of memory`);
  if (/input\/output error|ended with SIG/i.test(said)) return failed(file, said);
  if (file !== 'age') return damagedFrames();
  if (/no identity matched/.test(said)) return wrongKey();
  if (/reading ".*"|identity file|secret key/i.test(said))
    return new BackupFault('locked', 'the key that is given can not be read');
  return /authenticat|MAC|EOF|header|chunk|trailing|malformed/i.test(said) ? changedBytes() : failed(file, said);
}

/** What zstd says of a frame that wants more than it may have. */
const tooMuch = /requires too much memory|Window size|memory usage|not enough memory|allocation error|Allocation error/i;

function failed(file: string, said: string): UserError {
  return new UserError(`${file} could not read it`, { details: lastLines(said, 3), hint: 'is the disk still there?' });
}

function bytesAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, Math.max(0, position)));
}
