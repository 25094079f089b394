import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { exitCodes, UserError } from '../errors.ts';

/** A file of a component's files/ or boot/ folder. */
export interface TreeFile {
  /** Where it lies in the component's folder. */
  readonly source: string;
  /** Absolute path it has in the appliance. */
  readonly target: string;
}

/** What `files/` or `boot/` of a component holds, sorted; a template's target has no `.hbs`. */
export function treeOf(folder: string, part: 'files' | 'boot'): TreeFile[] {
  const root = path.join(folder, part);
  if (!existsSync(root)) return [];
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  // to read a named pipe would wait for ever
  const strange = entries.find((entry) => !entry.isFile());
  if (strange !== undefined)
    throw new UserError(`${path.join(strange.parentPath, strange.name)} is not a file`, {
      exitCode: exitCodes.badData,
      hint: strange.isSymbolicLink() ? 'name it under install.links of component.yaml' : 'a component is files alone: remove it',
    });
  return entries
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort()
    .map((relative) => ({ source: path.join(root, relative), target: `/${relative.replace(/\.hbs$/, '')}` }));
}
