import { Worker } from 'node:worker_threads';

/** What is read of a file beside whoever else reads it. */
export interface SealOfFile {
  /** The digest of all but its last bytes, in hexadecimal; undefined when it is shorter. */
  readonly digest: Promise<string | undefined>;
  /** Ends it. */
  readonly close: () => Promise<void>;
}

/**
 * Takes the SHA-256 of all of a file but its last bytes, in a thread of its own.
 * @param but how many.
 */
export function digestBeside(descriptor: number, but: number): SealOfFile {
  const thread = new Worker(`(${digestAll.toString()})()`, { eval: true, workerData: { descriptor, but } });
  const digest = new Promise<string | undefined>((resolve, reject) => {
    thread.once('message', (it: string | undefined) => resolve(it));
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('the thread ended')));
  });
  // who does not wait for it does not want to know
  digest.catch(() => {});
  return { digest, close: async () => void (await thread.terminate()) };
}

/** What the thread does; it stands alone, for it is sent there as text. */
function digestAll(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');
  const { fstatSync, readSync } = process.getBuiltinModule('node:fs');
  const { createHash } = process.getBuiltinModule('node:crypto');
  const { descriptor, but } = workerData as { descriptor: number; but: number };
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(1 << 20);
  const end = fstatSync(descriptor).size - but;
  let at = 0;
  while (at < end) {
    const count = readSync(descriptor, block, 0, Math.min(block.length, end - at), at);
    if (count === 0) break;
    hash.update(block.subarray(0, count));
    at += count;
  }
  parentPort?.postMessage(end > 0 && at === end ? hash.digest('hex') : undefined);
}
