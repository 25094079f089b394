import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { driverFiles, pythonFilesIn, pythonFolder } from '../kernel/catalogue/driver-program.ts';
import type { Component } from '../kernel/catalogue/load.ts';
import type { Programs } from '../plan/generated.ts';
import { bundledLibraries, bundledName } from './bundled.ts';

/** Programs of the appliance itself: name below /usr/lib/devserver to entry point below provision/. */
const own: Readonly<Record<string, string>> = {
  'boot.mjs': 'boot/main.ts',
  'devserverd.mjs': 'daemon/main.ts',
  'devserver.mjs': 'cli.ts',
  'archive.mjs': 'archive/main.ts',
  'restore.mjs': 'restore/main.ts',
  'audit.mjs': 'audit/main.ts',
};

/**
 * Bundles the appliance's programs and the chosen components' drivers, each into one file that needs
 * no node_modules and runs on Node.js 20 and later. Drivers in Python are taken as they are.
 */
export async function bundlePrograms(root: string, components: readonly Component[]): Promise<Programs> {
  const drivers = components.flatMap((component) =>
    driverFiles(component, 'driver.ts').map((file) => [`driver-${component.data.name}`, file] as const),
  );
  const entries = [
    ...Object.entries(own).map(([name, file]) => [name.replace(/\.mjs$/, ''), path.join(root, 'provision', file)] as const),
    ...drivers,
    ...components.flatMap(ownPrograms),
  ];
  // as npm installs us, our libraries lie beside us; what the bundles say of their sources is the same all the same
  const isInstalled = path.basename(path.dirname(root)) === 'node_modules';
  const base = isInstalled ? path.resolve(root, '../..') : root;
  const ownPrefix = isInstalled ? `${path.relative(base, root)}/` : '';
  // it takes a moment to load, and is seldom needed
  const { build } = await import('esbuild');
  const result = await build({
    entryPoints: entries.map(([out, entry]) => ({ in: entry, out })),
    outdir: 'out',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    minifySyntax: true,
    legalComments: 'eof',
    absWorkingDir: base,
    // drivers outside this checkout (--stacks) still find our libraries
    nodePaths: [path.join(root, 'node_modules')],
    alias: { 'devserver/driver-kit': path.join(root, 'src/kernel/driver-kit.ts') },
    loader: { '.hbs': 'text' },
    logLevel: 'silent',
    // CommonJS inside an ES module bundle still calls require for Node's own modules
    banner: {
      js: "import { createRequire as nodeRequire } from 'node:module'; const require = nodeRequire(import.meta.url);",
    },
  });
  return new Map([
    ...result.outputFiles.map(({ path: file, contents, text }) => {
      return [path.basename(file), isInstalled ? Buffer.from(text.replaceAll(ownPrefix, '')) : contents] as const;
    }),
    [bundledName, bundledLibraries(result.metafile, base, ownPrefix)] as const,
    ...pythonPrograms(root, components),
  ]);
}

/** Drivers in Python as they are, each in a folder of its own, and beside them the kit they share. */
function pythonPrograms(root: string, components: readonly Component[]): (readonly [string, Uint8Array])[] {
  const drivers = components.flatMap((component) =>
    driverFiles(component, 'driver.py').map(
      (file) => [`driver-${component.data.name}/${path.basename(file)}`, readFileSync(file)] as const,
    ),
  );
  if (drivers.length === 0) return [];
  const kit = pythonFilesIn(path.join(root, 'provision/python'));
  return [...kit.map((file) => [`${pythonFolder}/${path.basename(file)}`, readFileSync(file)] as const), ...drivers];
}

/** Further programs of a component: each file of its folder `programs/`, by its own name. */
function ownPrograms({ folder }: Component): (readonly [string, string])[] {
  const programs = path.join(folder, 'programs');
  if (!existsSync(programs)) return [];
  return readdirSync(programs)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => [name.replace(/\.ts$/, ''), path.join(programs, name)] as const);
}
