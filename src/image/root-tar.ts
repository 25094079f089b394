import type { Plan } from '../plan/plan.ts';
import { type InstalledPackage, layerContents } from './contents.ts';
import { grubMenu } from './grub.ts';
import { filesLayer, type Merged, merge } from './layers.ts';
import { listTar } from './tar.ts';
import { tarFromFile } from './tar-source.ts';

/** A root file system that is to be written: what it holds, and where each byte of it lies. */
export interface Root {
  readonly merged: Merged;
  readonly kernel: string;
  readonly packages: readonly InstalledPackage[];
}

/** Paths of the archives that make a root file system, in rising precedence. */
export interface RootParts {
  readonly packages: string;
  readonly artifacts: readonly { readonly name: string; readonly file: string }[];
}

/**
 * Opens the archives of a root file system for `use`: packages, then artifacts, then the plan's files and the boot menu.
 * @throws UserError from the merge's rules.
 */
export async function withRoot<T>(plan: Plan, parts: RootParts, rootUuid: string, use: (root: Root) => Promise<T>): Promise<T> {
  const packages = await tarFromFile(parts.packages);
  const artifacts = await Promise.all(parts.artifacts.map(async ({ name, file }) => ({ name, source: await tarFromFile(file) })));
  try {
    const entries = await listTar(packages);
    const menu = Buffer.from(grubMenu(rootUuid, plan.disk.kernelArguments));
    const merged = await merge([
      { name: 'the package layer', source: packages, entries },
      ...artifacts,
      filesLayer('the files layer', plan.files),
      filesLayer('the boot menu', [{ kind: 'file', path: '/boot/grub/grub.cfg', mode: 0o644, uid: 0, gid: 0, content: menu }]),
    ]);
    return await use({ merged, ...(await layerContents(packages, entries)) });
  } finally {
    await Promise.all([packages, ...artifacts.map(({ source }) => source)].map((source) => source.close()));
  }
}
