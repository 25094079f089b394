import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Feed, System } from '../../kernel/system.ts';
import { type MachineShape, type OutputFormat, outputFile } from '../../plan/output-formats.ts';
import type { Installer } from '../installer/parts.ts';
import { toolCommand } from '../tools.ts';
import { writeQcow2, writeVmdk } from './convert.ts';
import { writeOva } from './ova.ts';
import { type SeedRequest, writeSeed } from './seed.ts';
import { writeLibvirtBox, writeVirtualBoxBox } from './vagrant.ts';

/** What outputs are made of. */
export interface OutputRequest {
  /** The finished system disk. */
  readonly raw: string;
  /** Writes the tar of the root file system, where the output `tar` is wanted. */
  readonly writeRoot: Feed;
  /** What the output `seed` is made of, where that is wanted. */
  readonly seed: { readonly seed: SeedRequest; readonly installer: Installer } | undefined;
  /** Where finished outputs go. */
  readonly work: string;
  /** Paths of outputs of the same image that are there already. */
  readonly there: ReadonlyMap<OutputFormat, string>;
  /** Folder of the tool set `disk`. */
  readonly tools: string;
  readonly image: { readonly name: string; readonly title: string; readonly inputs: string };
  readonly machine: MachineShape;
  readonly system: System;
}

/** Makes the outputs in `work`, each under its own name; `raw` itself is none of them. */
export async function makeOutputs(wanted: readonly OutputFormat[], request: OutputRequest): Promise<void> {
  const { raw, writeRoot, seed, work, there, tools, system } = request;
  const made = new Map<OutputFormat, Promise<string>>();
  /** A disk that outputs are made from, or that is one itself; made once. */
  const disk = (format: 'qcow2' | 'vmdk'): Promise<string> => {
    const already = wanted.includes(format) ? undefined : there.get(format);
    if (already !== undefined) return Promise.resolve(already);
    const file = path.join(work, outputFile(format));
    const making = made.get(format) ?? diskWriters[format](raw, file, tools, system).then(() => file);
    made.set(format, making);
    return making;
  };
  const makers: Record<Exclude<OutputFormat, 'raw'>, (out: string, folder: string) => Promise<unknown>> = {
    qcow2: () => disk('qcow2'),
    vmdk: () => disk('vmdk'),
    ova: async (out, folder) => writeOva(out, folder, await disk('vmdk'), request),
    'vagrant-libvirt': async (out, folder) => writeLibvirtBox(out, folder, await disk('qcow2'), request),
    'vagrant-virtualbox': async (out, folder) => writeVirtualBoxBox(out, folder, await disk('vmdk'), request),
    seed: async (out, folder) => {
      if (seed === undefined) throw new Error('what the seed is made of was not prepared');
      await writeSeed(out, folder, seed, request);
    },
    tar: (out) => system.run(toolCommand(tools, 'zstd', ['-q', '-T0', '-6', '-f', '-o', out], { feed: writeRoot })),
  };
  for (const format of wanted) {
    if (format === 'raw') continue;
    const folder = path.join(work, `${format}.parts`);
    await mkdir(folder);
    await makers[format](path.join(work, outputFile(format)), folder);
    await rm(folder, { recursive: true });
  }
}

const diskWriters = { qcow2: writeQcow2, vmdk: writeVmdk };
