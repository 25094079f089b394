import { existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';

interface Manifest {
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A file or folder, and the path it is to have in a copy. */
export interface Placed {
  readonly from: string;
  readonly to: string;
}

/** What a copy of this generator needs to run: what it is published with, and its libraries as they lie here. */
export function generatorFiles(root: string): Placed[] {
  const own = manifestIn(root);
  const named = ['package.json', 'LICENSE', ...(own.files ?? [])].filter((name) => existsSync(path.join(root, name)));
  return [
    ...named.map((name) => ({ from: path.join(root, name), to: name })),
    ...[...libraries(root)].map(([to, from]) => ({ from, to: path.join('node_modules', to) })),
  ];
}

/** Libraries by name. What lies inside another one's folder, a second version of something, comes along with that. */
function libraries(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const seen = new Set<string>();
  const visit = (folder: string): void => {
    const { dependencies, optionalDependencies } = manifestIn(folder);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const from = locate(name, folder);
      // an optional one of another platform, or one that was here before
      if (from === undefined || seen.has(from)) continue;
      seen.add(from);
      if (![...found.values()].some((other) => from.startsWith(`${other}${path.sep}`))) found.set(name, from);
      visit(from);
    }
  };
  visit(root);
  return found;
}

/** Where Node finds a library from a folder. */
function locate(name: string, folder: string): string | undefined {
  for (let at = realpathSync(folder); ; at = path.dirname(at)) {
    const candidate = path.join(at, 'node_modules', name);
    if (existsSync(path.join(candidate, 'package.json'))) return candidate;
    if (at === path.dirname(at)) return undefined;
  }
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
}
