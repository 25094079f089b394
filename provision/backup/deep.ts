import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import { printable } from '../../src/kernel/printable.ts';
import { stage } from '../../src/kernel/report.ts';
import { dropLoaded, type LaidOut, type LayOutOptions, layOut } from '../restore/lay-out.ts';
import { type ContentFault, examineContents } from './contents.ts';
import { orInterrupted } from './interrupt.ts';

const folder = appliancePaths.rehearsal;
const staging = { data: path.join(folder, 'new'), dumps: path.join(folder, 'dumps') };

export interface DeepOptions extends Omit<LayOutOptions, 'confirm'> {
  /** Ends it, leaving nothing. */
  readonly signal: AbortSignal;
}

export interface DeeplyVerified extends LaidOut {
  /** How many programs looked at something. */
  readonly looks: number;
}

/**
 * Restores a backup into a scratch tree and has every component's programs look at it; the tree is deleted again. Every
 * digest is held on the way. To be called by whoever is `alone` (lock.ts).
 * @throws BackupFault with what the programs said; UserError when the data disk has no room for it.
 */
export async function verifyDeeply(options: DeepOptions): Promise<DeeplyVerified> {
  const { catalogue, system, report, signal } = options;
  dropScratch();
  mkdirSync(folder, { mode: 0o700 });
  try {
    const laidOut = await layOut({ ...options, confirm: () => {} }, staging);
    const { looks, faults } = await stage(report, 'look', async () => {
      const value = await examineContents({
        ...{ catalogue, system, parts: laidOut.header.parts },
        placeOf: (place) => path.join(staging.data, path.relative('/srv', place)),
        onLook: (done, all) => {
          signal.throwIfAborted();
          report({ type: 'progress', name: 'look', fraction: done / all });
        },
      });
      return { value };
    });
    if (faults.length > 0)
      throw new BackupFault('damaged', `what it holds is not whole: ${faults.map(({ part }) => part).join(', ')}`, {
        details: faults.flatMap(linesOf),
      });
    return { ...laidOut, looks };
  } catch (error) {
    throw orInterrupted(signal, error);
  } finally {
    dropScratch();
  }
}

function dropScratch(): void {
  rmSync(folder, { recursive: true, force: true });
  dropLoaded();
}

/** Out of a file that may be a stranger's: nothing in it acts in the terminal. */
function linesOf({ part, root, said }: ContentFault): string[] {
  return said.map((line) => `${part} ${root}: ${printable(line)}`);
}
