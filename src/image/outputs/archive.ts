import path from 'node:path';
import type { System } from '../../kernel/system.ts';
import { sourceDateEpoch } from '../context.ts';

/** Packs a folder with all that is in it, the same bytes for the same files; tar reads through links. */
export async function packTree(out: string, tree: string, system: System, more: readonly string[] = []): Promise<void> {
  const owner = ['--owner=root:0', '--group=root:0', '--numeric-owner', '--mode=u=rwX,go=rX'];
  const same = ['--sort=name', '--dereference', ...owner, `--mtime=@${sourceDateEpoch}`];
  await system.run({ file: 'tar', args: ['--create', `--file=${path.resolve(out)}`, ...same, ...more, '--', '.'], cwd: tree });
}

/** Packs files of a folder in the order given, as ustar (which OVF 1.x wants), the same bytes for the same files. */
export async function packFiles(out: string, folder: string, names: readonly string[], system: System): Promise<void> {
  const owner = ['--owner=root:0', '--group=root:0', '--numeric-owner', '--mode=0644'];
  await system.run({
    file: 'tar',
    args: ['--create', `--file=${path.resolve(out)}`, '--format=ustar', ...owner, `--mtime=@${sourceDateEpoch}`, '--', ...names],
    cwd: folder,
  });
}
