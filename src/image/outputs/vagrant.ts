import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { render } from '../../kernel/render.ts';
import { projectFile } from '../project-file.ts';
import { packFiles } from './archive.ts';
import type { OutputRequest } from './make.ts';
import { layOutMachine } from './ova.ts';

/** A box for vagrant-libvirt (its README, "Box format", version 1): the disk as qcow2, and what it is. */
export async function writeLibvirtBox(out: string, folder: string, qcow2: string, request: OutputRequest): Promise<void> {
  const { system, raw } = request;
  await system.run({ file: 'ln', args: ['--', path.resolve(qcow2), path.join(folder, 'box.img')] });
  const gigabytes = Math.ceil((await stat(raw)).size / 1024 ** 3);
  await writeMetadata(folder, { provider: 'libvirt', format: 'qcow2', virtual_size: gigabytes });
  await writeVagrantfile(folder, true, request);
  await packFiles(out, folder, ['metadata.json', 'Vagrantfile', 'box.img'], system);
}

/** A box for VirtualBox ("Box file format" in Vagrant's docs): the machine as in the OVA. */
export async function writeVirtualBoxBox(out: string, folder: string, vmdk: string, request: OutputRequest): Promise<void> {
  const { descriptor, disks } = await layOutMachine(folder, vmdk, 'box.ovf', request);
  await writeMetadata(folder, { provider: 'virtualbox' });
  await writeVagrantfile(folder, false, request);
  await packFiles(out, folder, ['metadata.json', 'Vagrantfile', descriptor, ...disks], request.system);
}

async function writeMetadata(folder: string, metadata: object): Promise<void> {
  await writeFile(path.join(folder, 'metadata.json'), `${JSON.stringify({ ...metadata, architecture: 'amd64' })}\n`);
}

async function writeVagrantfile(folder: string, isLibvirt: boolean, { machine }: OutputRequest): Promise<void> {
  const template = await readFile(projectFile('templates/outputs/Vagrantfile.hbs'), 'utf8');
  const [memoryMiB, cpus, dataMiB] = [machine.memoryMiB, machine.cpus, machine.dataMiB].map(String);
  await writeFile(path.join(folder, 'Vagrantfile'), render('Vagrantfile.hbs', template, { isLibvirt, memoryMiB, cpus, dataMiB }));
}
