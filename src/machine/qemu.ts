import type { Command } from '../kernel/system.ts';
import { type Credential, qemuCredentials, qemuValue } from './credentials.ts';
import type { BackendName, MachinePaths, Ports, Qemu } from './instance.ts';
import { qmpSocket } from './qmp.ts';

/** What a test adds to a virtual machine. */
export interface QemuExtras {
  /** Raw disk files shown as USB disks. */
  readonly usb?: readonly string[];
  /** Boot by UEFI instead of BIOS; `vars` is the machine's own copy of the firmware's variables. */
  readonly uefi?: boolean;
}

export interface QemuPlan {
  readonly backend: BackendName;
  readonly name: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly listen: string;
  readonly ports: Ports;
  readonly paths: MachinePaths;
  readonly credentials: readonly Credential[];
  readonly usb: readonly string[];
  readonly firmware?: { readonly code: string; readonly vars: string };
}

/**
 * QEMU's command line. Machine q35: PCIe, AHCI and the power button as on today's hardware, and it
 * boots by BIOS and by UEFI alike. The process is to run in the machine's folder, which keeps the socket's path short.
 */
export function qemuCommand(plan: QemuPlan, qemu: Qemu): Command {
  const { paths } = plan;
  return qemu.command([
    '-name',
    qemuValue(plan.name),
    '-nodefaults',
    '-no-user-config',
    ...machine(plan),
    '-smp',
    String(plan.cpus),
    '-m',
    `${plan.memoryMiB}M`,
    ...disk('system', paths.system, ',bootindex=1'),
    ...disk('data', paths.data, ''),
    ...network(plan),
    '-device',
    'virtio-rng-pci',
    ...usbDisks(plan.usb),
    ...qemuCredentials(plan.credentials),
    '-display',
    'none',
    '-vga',
    'std',
    '-serial',
    `file:${paths.consoleLog}`,
    '-qmp',
    `unix:${qmpSocket},server=on,wait=off`,
  ]);
}

function machine({ backend, firmware }: QemuPlan): string[] {
  const accelerator =
    backend === 'qemu-kvm'
      ? ['-machine', 'q35', '-accel', 'kvm', '-cpu', 'host']
      : ['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max'];
  if (firmware === undefined) return accelerator;
  const flash = 'if=pflash,format=raw,unit';
  return [
    ...accelerator,
    '-drive',
    `${flash}=0,readonly=on,file=${qemuValue(firmware.code)}`,
    '-drive',
    `${flash}=1,file=${qemuValue(firmware.vars)}`,
  ];
}

/** A serial number gives the guest /dev/disk/by-id/virtio-NAME, whatever the order of the disks. */
function disk(name: string, file: string, boot: string): string[] {
  const drive = `if=none,id=${name},format=raw,discard=unmap,file=${qemuValue(file)}`;
  return ['-drive', drive, '-device', `virtio-blk-pci,drive=${name},serial=${name}${boot}`];
}

function network({ listen, ports }: QemuPlan): string[] {
  const forwards = [
    `hostfwd=tcp:${listen}:${ports.https}-:443`,
    `hostfwd=tcp:${listen}:${ports.http}-:80`,
    `hostfwd=tcp:${listen}:${ports.ssh}-:22`,
  ];
  return ['-nic', `user,model=virtio-net-pci,${forwards.join(',')}`];
}

function usbDisks(files: readonly string[]): string[] {
  const controller = ['-device', 'qemu-xhci,id=xhci'];
  const disks = files.flatMap((file, index) => [
    '-drive',
    `if=none,id=usb${index},format=raw,file=${qemuValue(file)}`,
    '-device',
    `usb-storage,bus=xhci.0,drive=usb${index},removable=on`,
  ]);
  return [...controller, ...disks];
}
