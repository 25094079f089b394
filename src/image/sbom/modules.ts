import { npmNamed, type Part, purl, pypiName } from './part.ts';

/** Paths at which a module of npm says what it is: below node_modules, and where the distribution puts its own. */
export const isNpmManifest = (path: string): boolean =>
  /(?:^|\/)(?:node_modules|usr\/share\/nodejs|usr\/lib\/nodejs)\/(?:@[^/]+\/)?[^/@]+\/package\.json$/.test(path);

/** Paths at which a distribution of Python says what it is. */
export const isPythonMetadata = (path: string): boolean =>
  /\.dist-info\/METADATA$|\.egg-info\/PKG-INFO$/.test(path) || /\.egg-info$/.test(path);

/** The module of a package.json; nothing for one without a name and a version. */
export function npmPart(at: string, text: string): Part | undefined {
  const { name: full, version } = (parsed(text) ?? {}) as { name?: unknown; version?: unknown };
  if (typeof full !== 'string' || typeof version !== 'string') return undefined;
  const { group, name } = npmNamed(full);
  return { type: 'library', group, name, version, purl: purl('npm', { group, name, version }), at };
}

/** The distribution of a METADATA or PKG-INFO file (core metadata specification). */
export function pythonPart(at: string, text: string): Part | undefined {
  const field = (key: string): string | undefined => new RegExp(`^${key}: (.+)$`, 'm').exec(text)?.[1]?.trim();
  const [name, version] = [field('Name'), field('Version')];
  if (name === undefined || version === undefined) return undefined;
  return { type: 'library', name, version, purl: purl('pypi', { name: pypiName(name), version }), at };
}

/** Who reads a file that says what it is, by its path; nobody for any other. */
export function readerOf(path: string): ((at: string, text: string) => Part | undefined) | undefined {
  if (isNpmManifest(path)) return npmPart;
  return isPythonMetadata(path) ? pythonPart : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
