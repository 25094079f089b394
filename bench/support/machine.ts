import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** What figures of one machine are worth on another. */
export interface MachineDescription {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly system: string;
  readonly node: string;
}

/** The machine this runs on. */
export function describeMachine(): MachineDescription {
  const name = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    system: name,
    node: process.versions.node,
  };
}
