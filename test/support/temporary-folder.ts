import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const prefix = 'devserver-test-';

/**
 * What tests and the programs they start put into the folder for temporary files goes into one of this run's, and away with
 * it. Programs of other users write there too.
 */
export function setup(): () => void {
  const before = process.env.TMPDIR;
  // vitest asks once per project
  if (path.basename(before ?? '').startsWith(prefix)) return () => {};
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  chmodSync(folder, 0o1777);
  process.env.TMPDIR = folder;
  return () => {
    // programs that tests killed may be in it for a moment
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  };
}
