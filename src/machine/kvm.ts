import { accessSync, constants, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command, System } from '../kernel/system.ts';
import type { Qemu } from './instance.ts';

/** What the probe's boot sector makes QEMU exit with: (0x10 << 1) | 1, see isa-debug-exit. */
const probeExit = 33;

export interface KvmAnswer {
  readonly works: boolean;
  /** A short clause for the user. */
  readonly reason: string;
}

/**
 * Whether KVM runs a guest here. An openable /dev/kvm proves nothing: on some hosts a guest stops at
 * its first instructions with "KVM internal error" and QEMU just sits there. So a boot sector is run,
 * unless there is no QEMU at hand to run it.
 */
export async function kvmWorks(system: System, qemu: () => Promise<Qemu | undefined>): Promise<KvmAnswer> {
  if (!cpuHasVirtualization(readFlags())) return { works: false, reason: 'no vmx or svm in /proc/cpuinfo' };
  if (!mayOpen('/dev/kvm')) return { works: false, reason: "/dev/kvm can't be opened" };
  return tryKvm(system, await qemu());
}

/** What the probe says; without QEMU what is hoped for. */
export async function tryKvm(system: System, qemu: Qemu | undefined): Promise<KvmAnswer> {
  if (qemu === undefined) return { works: true, reason: 'KVM is there; the start tries whether it runs a guest' };
  const runs = await runsProbe(system, qemu.command, 'kvm');
  return { works: runs, reason: runs ? 'KVM works here' : 'KVM is there but does not run a guest' };
}

/** Whether a /proc/cpuinfo shows Intel's or AMD's virtualization. */
export function cpuHasVirtualization(cpuinfo: string): boolean {
  return /^flags\s*:.*\b(vmx|svm)\b/m.test(cpuinfo);
}

/** Boots a sector that goes the way of a kernel and leaves by the debug-exit device; anything else, or 15 s, means no. */
export async function runsProbe(
  system: System,
  qemu: (args: readonly string[]) => Command,
  accelerator: 'kvm' | 'tcg',
): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), 'devserver-kvm-'));
  try {
    const disk = path.join(folder, 'probe.img');
    await writeFile(disk, bootSector());
    const command = { ...qemu(probeArguments(disk, accelerator)), timeout: 15_000 };
    const { exitCode, stderr } = await system.run(command, { accept: 'any' });
    return exitCode === probeExit && !stderr.includes('KVM internal error');
  } catch {
    // Not starting and not ending in time are the answer "no" too.
    return false;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function probeArguments(disk: string, accelerator: string): string[] {
  const drive = ['-drive', `if=ide,format=raw,file=${disk}`];
  const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'];
  const processor = ['-accel', accelerator, '-cpu', accelerator === 'kvm' ? 'host' : 'max', '-m', '32M'];
  return ['-nodefaults', '-no-user-config', '-machine', 'pc', '-display', 'none', '-no-reboot'].concat(processor, drive, exit);
}

/**
 * Machine code for 0x7c00: identity-map 2 MiB at 0x1000, set CR4 PAE, PGE, OSFXSR, EFER.LME, CR0 PG and PE,
 * jump to 64-bit code, add with SSE2, one locked cmpxchg8b, `mov al,0x10; out 0xf4,al`, halt. What a
 * kernel's first moments do: real mode alone also runs where no kernel does.
 */
const program = [
  'fa31c08ed88ec08ed0bc007cbf0010b90018fcf3abc70600100320c70600200330c7060030830066b8001000000f22d8',
  '66b8a00600000f22e066b9800000c00f320d00010f30660f0116b07c0f20c06683e0fb660d030000800f22c066ea647c',
  '0000080031c08ed88ed048bb887766554433221166480f6ec3660fefc9660fd4c8660f6fd166480f7ed14839d9750df0',
  '0fc70c2500400000b010e6f4f4ebfd90000000000000000000000000009a20000f00a07c0000',
].join('');

function bootSector(): Buffer {
  const disk = Buffer.alloc(1024 * 1024);
  Buffer.from(program, 'hex').copy(disk);
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}

function readFlags(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

function mayOpen(file: string): boolean {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
