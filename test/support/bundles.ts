import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** Makes the generator's bundles once, so that each of a thousand calls of it need not. */
export function setup(): void {
  const root = path.resolve(import.meta.dirname, '../..');
  const { status, stderr } = spawnSync(process.execPath, [path.join(root, 'start.mjs'), 'run', 'help'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the generator can not be bundled: ${stderr}`);
}
