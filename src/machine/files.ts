import { readFile } from 'node:fs/promises';
import { writeFileAtomically } from '../kernel/atomic-file.ts';

/** Writes one of the machine's files, whole or not at all, readable by its owner alone. */
export function writeOwn(file: string, content: string): void {
  writeFileAtomically(file, content, 0o600);
}

/** The text of a file, or undefined when there is no such file. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
