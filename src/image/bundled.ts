import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Metafile } from 'esbuild';

/** File beside the appliance's programs: the libraries that are in them, as JSON. */
export const bundledName = 'bundled.json';

/** Names and versions of the libraries that went into bundles, by what the bundler read below `base`; what is ours is none. */
export function bundledLibraries({ inputs }: Metafile, base: string, own = ''): Uint8Array {
  const folders = Object.keys(inputs).flatMap((file) => {
    const isOwn = own !== '' && file.startsWith(own);
    const library = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(isOwn ? file.slice(own.length) : file)?.[0];
    return library === undefined ? [] : [isOwn ? own + library : library];
  });
  const libraries = [...new Set(folders)].map((folder) => {
    const manifest = readFileSync(path.resolve(base, folder, 'package.json'), 'utf8');
    const { name, version } = JSON.parse(manifest) as { name: string; version: string };
    return { name, version };
  });
  libraries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return Buffer.from(`${JSON.stringify(libraries, undefined, 2)}\n`);
}
