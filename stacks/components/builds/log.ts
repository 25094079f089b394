import type { Socket } from 'node:net';
import { logFrame } from './frames.ts';

/**
 * Passes a build's output on to whoever asked for the build, as it comes and no faster than it is taken, up to `limit`
 * bytes; the CI server keeps it on a disk that others need too.
 */
export function passOn(log: Socket, asker: Socket, limit: number): void {
  let left = limit;
  log.on('data', (bytes: Buffer) => {
    const part = bytes.subarray(0, left);
    if (bytes.length > left && left >= 0) {
      left = -1;
      send(Buffer.concat([part, Buffer.from(`\n-- the log is longer than ${limit} bytes; the rest is dropped --\n`)]));
    } else if (left > 0) {
      left -= part.length;
      send(part);
    }
  });
  const send = (bytes: Buffer): void => {
    if (asker.destroyed || bytes.length === 0) return;
    if (asker.write(logFrame(bytes))) return;
    log.pause();
    asker.once('drain', () => log.resume());
  };
  // what nobody reads any more is read all the same: the build is being ended
  asker.once('close', () => log.resume());
}
