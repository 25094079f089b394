import { copyFile, mkdir, open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SourceKeys } from '../../lock/apt-sources.ts';
import type { MachineNeeds } from '../../plan/onto-machine.ts';
import type { Plan } from '../../plan/plan.ts';
import { filesLayer, merge, writeMerged } from '../layers.ts';
import { commonParameters } from '../package-parameters.ts';
import { projectFile } from '../project-file.ts';
import { tarFromFile } from '../tar-source.ts';
import { writeFully } from '../write-fully.ts';

/** What makes a machine that has a system of its own the server of a plan. */
export interface Installer {
  /** Compiled for a machine. */
  readonly plan: Plan;
  readonly needs: MachineNeeds;
  /** Keys of package sources that have one of their own. */
  readonly keys: SourceKeys;
  /** Unpacked artifacts, as archives. */
  readonly artifacts: readonly { readonly name: string; readonly file: string }[];
  /** First settings, as systemd's credentials; none is a secret. */
  readonly credentials: Readonly<Record<string, string>>;
}

/** Stands in a package source for the archive from which the machine has its own packages. */
const mainArchive = '@MAIN@';

const unitLink = /^\/etc\/systemd\/system\/[^/]+\.wants\/([^/]+)$/;

/**
 * Lays the parameters of install.sh and the script itself out in `folder`, a few kilobytes: enough for its look at the machine.
 * The tar with all files comes from `writeFiles`, which says what is in it.
 */
export async function writeParts(
  folder: string,
  { plan, needs, keys, credentials }: Installer,
  owned: readonly string[] = plan.files.flatMap((file) => (file.kind === 'dir' ? [] : [file.path])),
): Promise<void> {
  const { layer } = plan;
  const units = owned.flatMap((file) => unitLink.exec(file)?.[1] ?? []);
  const files = new Map([
    ...commonParameters(layer, mainArchive, keys),
    ['suite', `${layer.suite}\n`],
    ['title', `${plan.base.title}\n`],
    ['architecture', `${layer.architecture}\n`],
    ['memory', `${needs.memoryMiB}\n`],
    ['ports', lines(needs.ports.map(String))],
    ['relies', lines(needs.relies)],
    ['packages', lines(layer.packages)],
    ['files', lines(owned)],
    ['units', lines(units)],
    ...Object.entries(credentials).map(([name, value]): [string, string] => [`credentials/${name}`, value]),
  ]);
  for (const [name, text] of files) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  await copyFile(projectFile('src/image/installer/install.sh'), path.join(folder, 'install.sh'));
}

/** One tar of our own files and the artifacts, with owners as numbers. Returns the paths of all that are no folders. */
export async function writeFiles(file: string, { plan, artifacts }: Pick<Installer, 'plan' | 'artifacts'>): Promise<string[]> {
  const sources = await Promise.all(artifacts.map(async ({ name, file: from }) => ({ name, source: await tarFromFile(from) })));
  try {
    const merged = await merge([...sources, filesLayer('the files layer', plan.files)]);
    const out = await open(file, 'w');
    try {
      await writeMerged(merged, (piece) => writeFully(out, piece));
    } finally {
      await out.close();
    }
    return merged.parts.flatMap((it) => (it.kind === 'entry' && it.entry.kind !== 'dir' ? [`/${it.path}`] : []));
  } finally {
    await Promise.all(sources.map(({ source }) => source.close()));
  }
}

const lines = (items: readonly string[]): string =>
  [...items]
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((item) => `${item}\n`)
    .join('');
