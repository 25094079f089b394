import { chmod, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { preferencesText, type SourceKeys, sourceText } from '../lock/apt-sources.ts';
import type { PackageLayer } from '../plan/plan.ts';
import type { Pocket } from '../plan/pockets.ts';
import { projectFile } from './project-file.ts';
import { tarBytes, tarEnd } from './tar-write.ts';

/**
 * Lays the hook scripts and their parameters side by side in `dir`: hooks read files, so no shell text is
 * ever put together. Everything is world-readable, because in unshare mode the hooks run as another user;
 * nothing in it is secret.
 */
export async function writeParameters(
  dir: string,
  layer: PackageLayer,
  { own, keys }: { readonly own: readonly Pocket[]; readonly keys: SourceKeys },
): Promise<void> {
  await chmod(dir, 0o755);
  for (const name of await hookNames()) {
    await copyFile(path.join(hooksFolder(), name), path.join(dir, name));
    await chmod(path.join(dir, name), 0o755);
  }
  const file = async (name: string, content: string | Uint8Array) => {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true, mode: 0o755 });
    await writeFile(path.join(dir, name), content, { mode: 0o644 });
  };
  await file('early.tar', Buffer.concat([...layer.earlyFiles.map(tarBytes), tarEnd]));
  await file('keep-modules', lines(layer.keepModules));
  await file('required-modules', lines(layer.requiredModules));
  await file('sources.list', lines(own.map(({ url, suite }) => `deb ${url} ${suite} ${layer.packageComponents.join(' ')}`)));
  for (const [name, text] of commonParameters(layer, own[0]?.url ?? '', keys)) await file(name, text);
}

const lines = (items: readonly string[]): string => items.map((item) => `${item}\n`).join('');

/**
 * What a root file system that is made and a machine that is there are told alike, by file name.
 * @param main address of the base's own main archive, or what stands for it.
 */
export function commonParameters(
  { accounts, debconf, extraSources }: Pick<PackageLayer, 'accounts' | 'debconf' | 'extraSources'>,
  main: string,
  keys: SourceKeys,
): Map<string, string> {
  return new Map([
    ['accounts', lines(accounts.map(({ user, id, home }) => `${user}:${id}:${home}`))],
    ['joins', lines(accounts.flatMap(({ user, joins }) => joins.map((group) => `${user}:${group}`)))],
    ['debconf', lines(debconf)],
    ...extraSources.flatMap((source): [string, string][] => [
      [`sources/${source.name}.sources`, sourceText({ ...source, url: source.url ?? main }, keys.get(source.name))],
      [`preferences/${source.name}`, preferencesText(source)],
    ]),
  ]);
}

/** Names of the hook scripts; their contents are part of the layer's key. */
export async function hookNames(): Promise<string[]> {
  return (await readdir(hooksFolder())).filter((name) => name.endsWith('.sh')).sort();
}

/** Where the hook scripts lie. */
export function hooksFolder(): string {
  return projectFile('src/image/hooks');
}
