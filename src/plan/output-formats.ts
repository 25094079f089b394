/** What a build can make of an image, and the file it is in DIR/out; docs/outputs.md says who takes it. */
const files = {
  raw: 'system.raw',
  qcow2: 'system.qcow2',
  vmdk: 'system.vmdk',
  ova: 'appliance.ova',
  'vagrant-libvirt': 'vagrant-libvirt.box',
  'vagrant-virtualbox': 'vagrant-virtualbox.box',
  tar: 'root.tar.zst',
  seed: 'seed.iso',
} as const;

export type OutputFormat = keyof typeof files;

/** All formats, in the order they are told in. */
export const outputFormats = Object.keys(files) as [OutputFormat, ...OutputFormat[]];

/** The file name of a format in DIR/out. */
export function outputFile(format: OutputFormat): string {
  return files[format];
}

/** The machine that a disk is for, where an output says so. */
export interface MachineShape {
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly dataMiB: number;
}

/** What a build makes where nobody says what. */
export const usualOutputs: readonly OutputFormat[] = ['qcow2'];

/** The raw disk is always made, and is what all others are made from. */
export function withRaw(formats: readonly OutputFormat[]): OutputFormat[] {
  return outputFormats.filter((format) => format === 'raw' || formats.includes(format));
}
