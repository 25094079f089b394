import type { System } from '../../kernel/system.ts';
import { toolCommand } from '../tools.ts';

/** zstd: a quarter of zlib's time for a smaller file. */
const qcow2 = ['-O', 'qcow2', '-c', '-o', 'compression_type=zstd'];
/** Of what every importer reads it is the only one that compresses. */
const vmdk = ['-O', 'vmdk', '-o', 'subformat=streamOptimized'];

/** Converts a raw disk to a compressed qcow2. */
export async function writeQcow2(raw: string, out: string, tools: string, system: System): Promise<void> {
  await convert(qcow2, raw, out, tools, system);
}

/** Converts a raw disk to a vmdk as OVF wants it. */
export async function writeVmdk(raw: string, out: string, tools: string, system: System): Promise<void> {
  await convert(vmdk, raw, out, tools, system);
}

async function convert(how: readonly string[], raw: string, out: string, tools: string, system: System): Promise<void> {
  await system.run(toolCommand(tools, 'qemu-img', ['convert', '-f', 'raw', ...how, '-m', '4', raw, out]));
}
