import { chmod, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { ExtraSource, PackageLayer } from '../plan/plan.ts';
import { projectFile } from './project-file.ts';
import { tarBytes, tarEnd } from './tar-write.ts';

/** Public keys of sources that bring their own, armoured, by the source's name. */
export type SourceKeys = ReadonlyMap<string, string>;

/**
 * Lays the hook scripts and their parameters side by side in `dir`: hooks read files, so no shell text is
 * ever put together. Everything is world-readable, because in unshare mode the hooks run as another user;
 * nothing in it is secret.
 */
export async function writeParameters(dir: string, layer: PackageLayer, keys: SourceKeys): Promise<void> {
  await chmod(dir, 0o755);
  for (const name of await hookNames()) {
    await copyFile(path.join(hooksFolder(), name), path.join(dir, name));
    await chmod(path.join(dir, name), 0o755);
  }
  const file = async (name: string, content: string | Uint8Array) => {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true, mode: 0o755 });
    await writeFile(path.join(dir, name), content, { mode: 0o644 });
  };
  const lines = (items: readonly string[]) => items.map((item) => `${item}\n`).join('');
  await file('early.tar', Buffer.concat([...layer.earlyFiles.map(tarBytes), tarEnd]));
  await file('accounts', lines(layer.accounts.map(({ user, id, home }) => `${user}:${id}:${home}`)));
  await file('joins', lines(layer.accounts.flatMap(({ user, joins }) => joins.map((group) => `${user}:${group}`))));
  await file('debconf', lines(layer.debconf));
  await file('keep-modules', lines(layer.keepModules));
  await file('required-modules', lines(layer.requiredModules));
  for (const source of layer.extraSources) {
    await file(`sources/${source.name}.sources`, sourceText(source, keys.get(source.name)));
    await file(`preferences/${source.name}`, preferencesText(source));
  }
}

/** Names of the hook scripts; their contents are part of the layer's key. */
export async function hookNames(): Promise<string[]> {
  return (await readdir(hooksFolder())).filter((name) => name.endsWith('.sh')).sort();
}

/** Where the hook scripts lie. */
export function hooksFolder(): string {
  return projectFile('src/image/hooks');
}

/**
 * An apt source in deb822 form (sources.list(5)): there a key can stand in the text itself, so that no path
 * has to be right both outside and inside the new root.
 */
export function sourceText(source: ExtraSource, key: string | undefined): string {
  const options = Object.entries(source.options).map(([name, value]) => `${fieldName(name)}: ${value}`);
  return [
    'Types: deb',
    `URIs: ${source.url ?? 'MAIN-MIRROR'}`,
    `Suites: ${source.suite}`,
    // A flat repository's suite is a path with a slash at its end and has no components.
    ...(source.suite.endsWith('/') ? [] : [`Components: ${source.packageComponents.join(' ')}`]),
    ...options,
    ...(key === undefined
      ? []
      : [
          'Signed-By:',
          ...key
            .trim()
            .split('\n')
            .map((line) => ` ${line.trim() || '.'}`),
        ]),
    '',
  ].join('\n');
}

/** Pins everything of a source away but the names it is there for (apt_preferences(5)). */
export function preferencesText(source: ExtraSource): string {
  const pin = source.url === undefined ? `release n=${source.suite}` : `origin "${hostOf(source)}"`;
  const entry = (names: string, priority: number) => `Package: ${names}\nPin: ${pin}\nPin-Priority: ${priority}\n`;
  return `${entry('*', -1)}\n${entry(source.packages.join(' '), 600)}`;
}

function hostOf(source: ExtraSource): string {
  try {
    return new URL(source.url ?? '').hostname;
  } catch (cause) {
    throw new UserError(`the package source ${source.name} has no valid address: ${source.url}`, {
      exitCode: exitCodes.badData,
      cause,
    });
  }
}

/** check-valid-until becomes Check-Valid-Until. */
function fieldName(option: string): string {
  return option.replaceAll(/(^|-)([a-z])/g, (_match, dash: string, letter: string) => dash + letter.toUpperCase());
}
