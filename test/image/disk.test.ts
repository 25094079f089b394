import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { digestOf, digestOfSparse } from '../../src/image/digest.ts';
import { grubEarlyConfig, grubMenu, placeGrubOnDisk } from '../../src/image/grub.ts';
import { deterministicUuid } from '../../src/image/identifiers.ts';
import { diskLayout, partitionTable } from '../../src/image/layout.ts';
import { realSystem, type System } from '../../src/kernel/system.ts';

const seed = 'a'.repeat(64);
const layout = diskLayout(3072, seed);

test('boot.img keeps its code and learns where core.img lies', () => {
  const bootImage = Buffer.alloc(512, 0x11);
  const [boot, core] = placeGrubOnDisk(bootImage, Buffer.alloc(1024, 0x22), layout);
  // 440 bytes: behind them lie the disk signature and the protective partition table that sfdisk wrote.
  expect(boot).toMatchObject({ offset: 0 });
  expect(boot?.bytes.length).toBe(440);
  expect(boot?.bytes.readBigUInt64LE(0x5c)).toBe(2048n);
  expect(boot?.bytes.subarray(0, 0x5c).every((byte) => byte === 0x11)).toBe(true);
  expect(core).toMatchObject({ offset: 2048 * 512 });
  expect(core?.bytes.readBigUInt64LE(0x1f4)).toBe(2049n);
  expect(core?.bytes.subarray(0, 0x1f4).every((byte) => byte === 0x22)).toBe(true);
  expect(bootImage.every((byte) => byte === 0x11)).toBe(true);
});

test('a core.img that does not fit is noticed', () => {
  expect(() => placeGrubOnDisk(Buffer.alloc(512), Buffer.alloc(2 << 20), layout)).toThrow('too many');
});

test('partitions follow one another without overlap and leave room for the second table', () => {
  expect(layout.bios.offset + layout.bios.bytes).toBe(layout.esp.offset);
  expect(layout.esp.offset + layout.esp.bytes).toBe(layout.root.offset);
  expect(layout.bytes - (layout.root.offset + layout.root.bytes)).toBeGreaterThanOrEqual(34 * 512);
  expect(partitionTable(layout, seed)).toContain(`start=135168, size=${3072 * 2048}, type=4F68BCE3`);
});

test('identifiers follow from the seed, and each purpose has its own', () => {
  expect(deterministicUuid(seed, 'disk')).toBe(deterministicUuid(seed, 'disk'));
  expect(deterministicUuid(seed, 'disk')).not.toBe(deterministicUuid(seed, 'esp'));
  expect(deterministicUuid(seed, 'disk')).not.toBe(deterministicUuid('b', 'disk'));
  expect(deterministicUuid(seed, 'disk')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('the menu offers both kernels and finds the root by its identifier', () => {
  const menu = grubMenu(layout.rootUuid, 'rw quiet');
  expect(menu).toContain(`linux /vmlinuz root=UUID=${layout.rootUuid} rw quiet`);
  expect(menu).toContain(`linux /vmlinuz.old root=UUID=${layout.rootUuid} rw quiet`);
  expect(menu).toContain('set fallback=1');
  expect(grubEarlyConfig(layout.rootUuid)).toContain(`search.fs_uuid ${layout.rootUuid} root`);
});

test('a file with holes has the digest it would have if they were read', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'digest-'));
  const file = path.join(folder, 'sparse');
  writeFileSync(file, Buffer.alloc(5_000_000, 1));
  truncateSync(file, 20_000_003);
  // what qemu-img says of such a file
  const map = [
    { start: 0, length: 5_000_192, data: true, zero: false },
    { start: 5_000_192, length: 14_999_811, data: false, zero: true },
  ];
  mkdirSync(path.join(folder, 'usr/bin'), { recursive: true });
  writeFileSync(path.join(folder, 'usr/bin/qemu-img'), '');
  const system: System = { ...realSystem(), run: async () => ({ stdout: JSON.stringify(map), stderr: '', exitCode: 0 }) };
  expect(await digestOfSparse(file, folder, system)).toBe(await digestOf(file));
  expect(await digestOf(file)).toBe(createHash('sha256').update(readFileSync(file)).digest('hex'));
  rmSync(folder, { recursive: true });
});
