import { existsSync } from 'node:fs';
import path from 'node:path';
import type { System } from '../../src/kernel/system.ts';
import type { CutWay } from './cut.ts';

const top = '/srv';

/** A cut by a read-only snapshot of btrfs: milliseconds, whatever there is. @param place Where it is to be. */
export function bySnapshot(system: System, place: string): CutWay {
  const snapshot = (args: readonly string[]): Promise<unknown> =>
    system.run({ file: 'btrfs', args: ['subvolume', 'snapshot', ...args] });
  return {
    consistent: 'snapshot',
    leftOut: new Set(),
    // what is to be written anyway is written before anybody waits for it
    prepare: async () => void (await system.run({ file: 'btrfs', args: ['filesystem', 'sync', top] })),
    take: async () => void (await snapshot(['-r', top, place])),
    writable: async (root, to) => {
      if (!existsSync(to)) await snapshot([place, to]);
      return path.join(to, path.relative(top, root));
    },
    drop: async (places) => {
      for (const it of places)
        if (existsSync(it)) await system.run({ file: 'btrfs', args: ['subvolume', 'delete', '--', it], isApart: true });
    },
  };
}
