import type { System } from '../kernel/system.ts';
import { toolCommand } from './tools.ts';

/** Formats of the system disk. */
export type OutputFormat = 'raw' | 'qcow2';

/** The file name of a format in DIR/out. */
export function outputFile(format: OutputFormat): string {
  return `system.${format}`;
}

/** Converts a raw disk to a compressed qcow2. zstd: a quarter of zlib's time for a smaller file. */
export async function writeQcow2(raw: string, out: string, tools: string, system: System): Promise<void> {
  await system.run(
    toolCommand(tools, 'qemu-img', [
      'convert',
      '-f',
      'raw',
      '-O',
      'qcow2',
      '-c',
      '-o',
      'compression_type=zstd',
      '-m',
      '4',
      raw,
      out,
    ]),
  );
}
