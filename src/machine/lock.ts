import { link, rename, rm, writeFile } from 'node:fs/promises';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { readIfThere } from './files.ts';
import { identify, isAlive, type ProcessId } from './process.ts';

/**
 * Runs `work` while no other process holds the same lock file. @param what is being done then, for who is refused.
 * Fails at once with exit code busy when somebody does. A lock whose holder died is taken over.
 */
export async function withLock<T>(file: string, what: string, work: () => Promise<T>): Promise<T> {
  const mine = identify(process.pid);
  if (mine === undefined) throw new Error('/proc does not show this process');
  const beside = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(beside, JSON.stringify(mine), { mode: 0o600 });
  try {
    await take(file, beside, what);
  } finally {
    await rm(beside, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string, beside: string, what: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    // link() is the one call that creates with content and fails when the name exists.
    if (await linked(beside, file)) return;
    const holder = await readHolder(file);
    if (isAlive(holder)) {
      throw new UserError(`${what} by process ${holder.pid}`, {
        hint: 'wait for it to end, then try again',
        exitCode: exitCodes.busy,
      });
    }
    await removeDead(file, beside);
  }
  throw new UserError(`${what} by several processes`, {
    hint: 'try again',
    exitCode: exitCodes.busy,
  });
}

/** Moves the lock aside first: if a live one slipped in between, it is put back. */
async function removeDead(file: string, beside: string): Promise<void> {
  const aside = `${beside}.dead`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if (isAlive(await readHolder(aside))) await linked(aside, file);
  await rm(aside, { force: true });
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(file: string): Promise<ProcessId | undefined> {
  try {
    return JSON.parse((await readIfThere(file)) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}
