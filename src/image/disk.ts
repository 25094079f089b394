import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Feed, System } from '../kernel/system.ts';
import { sourceDateEpoch } from './context.ts';
import { grubEarlyConfig, grubImageCommand, placeGrubOnDisk } from './grub.ts';
import { deterministicUuid } from './identifiers.ts';
import { type DiskLayout, partitionTable, rootLabel } from './layout.ts';
import { toolCommand } from './tools.ts';
import { writeFully } from './write-fully.ts';

/** What a disk is made from. */
export interface DiskRequest {
  /** Writes the tar of the root file system. */
  readonly writeRoot: Feed;
  readonly layout: DiskLayout;
  /** Every identifier on the disk follows from it. */
  readonly seed: string;
  /** Folder of the tool set `disk`. */
  readonly tools: string;
  /** Folder for intermediate files. */
  readonly work: string;
}

/**
 * Writes a bootable raw disk to `out`: GPT, BIOS and UEFI, one ext4 root. No loop device, no mount, no
 * privilege; the file is sparse, and the same input gives the same bytes.
 */
export async function writeDisk(out: string, request: DiskRequest, system: System): Promise<void> {
  const { layout, seed, tools, work } = request;
  await writeFile(out, '');
  await truncate(out, layout.bytes);
  await system.run(
    toolCommand(tools, 'sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', out], {
      input: partitionTable(layout, seed),
    }),
  );
  const early = path.join(work, 'early.cfg');
  await writeFile(early, grubEarlyConfig(layout.rootUuid));
  await writeBiosLoader(out, early, request, system);
  await writeSystemPartition(out, early, request, system);
  await whileFlushing(out, () => system.run(makeRootCommand(out, request)));
}

/** mke2fs waits for the disk at its end: what it has written by then goes there meanwhile. */
async function whileFlushing(file: string, work: () => Promise<unknown>): Promise<void> {
  const handle = await open(file, 'r+');
  let isOver = false;
  const flushing = (async () => {
    while (!isOver) {
      await sleep(200);
      // who can't flush it is told by whoever has to
      await handle.datasync().catch(() => {});
    }
  })();
  try {
    await work();
  } finally {
    isOver = true;
    await flushing;
    await handle.close();
  }
}

/** mke2fs reads owners, modes and devices straight from the tar, while it is written. */
function makeRootCommand(out: string, { layout, tools, writeRoot, seed }: DiskRequest) {
  const hashSeed = deterministicUuid(seed, 'directory hashes');
  const args = ['-q', '-F', '-t', 'ext4', '-m', '1', '-L', rootLabel, '-U', layout.rootUuid];
  const extended = `offset=${layout.root.offset},hash_seed=${hashSeed},root_owner=0:0`;
  return toolCommand(tools, 'mke2fs', [...args, '-E', extended, '-d', '-', out, `${layout.root.bytes / 1024}k`], {
    env: { SOURCE_DATE_EPOCH: String(sourceDateEpoch) },
    feed: writeRoot,
  });
}

async function writeBiosLoader(out: string, early: string, request: DiskRequest, system: System): Promise<void> {
  const { tools, work, layout } = request;
  const core = path.join(work, 'core.img');
  await system.run(grubImageCommand(tools, 'bios', early, core));
  const bootImage = await readFile(path.join(tools, 'usr/lib/grub/i386-pc/boot.img'));
  for (const { offset, bytes } of placeGrubOnDisk(bootImage, await readFile(core), layout)) {
    await writeAt(out, offset, bytes);
  }
}

/** Made as a file of its own and copied in: mkfs.vfat can't work at an offset together with mtools. */
async function writeSystemPartition(out: string, early: string, request: DiskRequest, system: System): Promise<void> {
  const { tools, work, layout, seed } = request;
  const esp = path.join(work, 'esp.img');
  const loader = path.join(work, 'bootx64.efi');
  await system.run(grubImageCommand(tools, 'uefi', early, loader));
  await writeFile(esp, '');
  await truncate(esp, layout.esp.bytes);
  const volume = deterministicUuid(seed, 'esp').slice(0, 8).toUpperCase();
  const format = ['-F', '32', '-s', '1', '-i', volume, '-n', 'ESP', '--invariant', esp];
  await system.run(toolCommand(tools, 'mkfs.vfat', format));
  // mtools takes new files' times from the clock unless this is set.
  const env = { SOURCE_DATE_EPOCH: String(sourceDateEpoch) };
  await system.run(toolCommand(tools, 'mmd', ['-i', esp, '::EFI', '::EFI/BOOT'], { env }));
  await system.run(toolCommand(tools, 'mcopy', ['-i', esp, loader, '::EFI/BOOT/BOOTX64.EFI'], { env }));
  await copyInto(out, layout.esp.offset, await readFile(esp));
  await rm(esp);
}

/** Leaves out what is empty, so that the disk stays sparse. */
async function copyInto(out: string, offset: number, bytes: Buffer): Promise<void> {
  const step = 1 << 20;
  const empty = Buffer.alloc(step);
  for (let at = 0; at < bytes.length; at += step) {
    const piece = bytes.subarray(at, at + step);
    if (!piece.equals(empty.subarray(0, piece.length))) await writeAt(out, offset + at, piece);
  }
}

async function writeAt(file: string, offset: number, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await writeFully(handle, bytes, offset);
  } finally {
    await handle.close();
  }
}
