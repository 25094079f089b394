import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { System } from '../../kernel/system.ts';
import { packTree } from '../outputs/archive.ts';
import { type Installer, writeFiles, writeParts } from './parts.ts';

/** What is unpacked and run: its parameters alone, which is enough for --check, or all of it. */
export async function packInstaller(
  out: string,
  work: string,
  installer: Installer,
  { system, isWhole }: { readonly system: System; readonly isWhole: boolean },
): Promise<void> {
  const tree = path.join(work, 'installer');
  await mkdir(tree);
  const held = isWhole ? await writeFiles(path.join(tree, 'files.tar'), installer) : undefined;
  await writeParts(tree, installer, held);
  await packTree(out, tree, system, ['--gzip']);
  await rm(tree, { recursive: true });
}
