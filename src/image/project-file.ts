import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Full path of a data file of this project, by its path from the project's root. Walks up from this module,
 * so that it works from src/ and from a bundle alike.
 */
export function projectFile(relative: string): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = path.join(folder, relative);
    if (existsSync(candidate)) return candidate;
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`${relative} is missing from the installation`);
    folder = parent;
  }
}
