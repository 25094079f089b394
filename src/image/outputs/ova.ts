import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { render } from '../../kernel/render.ts';
import { digestOf } from '../digest.ts';
import { deterministicUuid } from '../identifiers.ts';
import { projectFile } from '../project-file.ts';
import { packFiles } from './archive.ts';
import { writeVmdk } from './convert.ts';
import type { OutputRequest } from './make.ts';

/** A machine as OVF describes it, laid out in a folder: its descriptor and the files it names. */
export interface Machine {
  readonly descriptor: string;
  readonly disks: readonly string[];
}

/**
 * Lays out the machine in `folder`: a descriptor, the system disk and a blank data disk. The descriptor says SATA and an
 * e1000 card: both VirtualBox and VMware have them, and the image's kernel too.
 * @param vmdk the system disk, which is linked.
 */
export async function layOutMachine(folder: string, vmdk: string, descriptor: string, request: OutputRequest): Promise<Machine> {
  const { raw, image, machine, system, tools } = request;
  const blank = path.join(folder, 'data.raw');
  await writeFile(blank, '');
  const dataBytes = machine.dataMiB * 1024 ** 2;
  await truncate(blank, dataBytes);
  await writeVmdk(blank, path.join(folder, dataDisk), tools, system);
  await rm(blank);
  await system.run({ file: 'ln', args: ['--', path.resolve(vmdk), path.join(folder, systemDisk)] });
  const size = async (name: string): Promise<number> => (await stat(path.join(folder, name))).size;
  const template = await readFile(projectFile('templates/outputs/appliance.ovf.xml.hbs'), 'utf8');
  const text = render('appliance.ovf.xml.hbs', template, {
    name: image.name,
    product: image.title,
    uuid: deterministicUuid(image.inputs, 'machine'),
    cpus: String(machine.cpus),
    memoryMiB: String(machine.memoryMiB),
    systemDisk: { file: systemDisk, size: String(await size(systemDisk)), capacity: String((await stat(raw)).size) },
    dataDisk: { file: dataDisk, size: String(await size(dataDisk)), capacity: String(dataBytes) },
  });
  await writeFile(path.join(folder, descriptor), text);
  return { descriptor, disks: [systemDisk, dataDisk] };
}

const systemDisk = 'system.vmdk';
const dataDisk = 'data.vmdk';

/** One file with the descriptor first, a manifest of digests, and the disks (DSP0243, "OVF package"). */
export async function writeOva(out: string, folder: string, vmdk: string, request: OutputRequest): Promise<void> {
  const { descriptor, disks } = await layOutMachine(folder, vmdk, 'appliance.ovf', request);
  const manifest = 'appliance.mf';
  const lines = await Promise.all(
    [descriptor, ...disks].map(async (name) => `SHA256(${name})= ${await digestOf(path.join(folder, name))}\n`),
  );
  await writeFile(path.join(folder, manifest), lines.join(''));
  await packFiles(out, folder, [descriptor, manifest, ...disks], request.system);
}
