import { readFile } from 'node:fs/promises';
import { release } from '../../kernel/release.ts';
import type { MachineShape } from '../../plan/output-formats.ts';
import { cacheKey } from '../cache.ts';
import type { Recipes } from '../image-file.ts';
import { projectFile } from '../project-file.ts';
import type { SeedRequest } from './seed.ts';

/** What decides what each output is besides the disk. An output by another recipe is made anew. */
export async function outputRecipes(machine: MachineShape, seed: SeedRequest | undefined): Promise<Recipes> {
  const text = (name: string): Promise<string> => readFile(projectFile(name), 'utf8');
  const by = (...parts: readonly unknown[]): string => cacheKey({ release, parts });
  const vagrant = await text('templates/outputs/Vagrantfile.hbs');
  const appliance = await text('templates/outputs/appliance.ovf.xml.hbs');
  return {
    // the image's own inputs say what it is; with others there is another image
    raw: 'inputs',
    qcow2: by(),
    vmdk: by(),
    tar: by(),
    ova: by(machine, appliance),
    'vagrant-libvirt': by(machine, vagrant),
    'vagrant-virtualbox': by(machine, vagrant, appliance),
    seed: by(seed, await text('src/image/installer/install.sh')),
  };
}
