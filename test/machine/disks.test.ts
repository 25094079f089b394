import { mkdtempSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/kernel/errors.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { isBlank, prepareDataDisk, prepareSystemDisk, readImage } from '../../src/machine/disks.ts';
import { type Instance, makeMachineFolder } from '../../src/machine/instance.ts';

async function prepared() {
  const dir = mkdtempSync(path.join(tmpdir(), 'disks-'));
  const base = { name: 'shop', hostname: 'shop', memoryMiB: 1, cpus: 1, dataMiB: 1024, listen: '127.0.0.1' };
  const instance: Instance = { ...base, dir, out: dir };
  return { dir, instance, paths: makeMachineFolder(dir) };
}

describe('the data disk', () => {
  it('is made blank and sparse, grows, and never shrinks or loses content', async () => {
    const { instance, paths } = await prepared();
    expect(await prepareDataDisk(instance, paths)).toBe(1024 ** 3);
    expect(statSync(paths.data)).toMatchObject({ size: 1024 ** 3, blocks: 0 });
    expect(await isBlank(paths.data)).toBe(true);
    writeFileSync(paths.data, 'data', { flag: 'r+' });
    expect(await isBlank(paths.data)).toBe(false);
    await prepareDataDisk({ ...instance, dataMiB: 2048 }, paths);
    expect(await prepareDataDisk(instance, paths)).toBe(2 * 1024 ** 3);
    expect(statSync(paths.data).size).toBe(2 * 1024 ** 3);
    expect(await isBlank(paths.data)).toBe(false);
  });

  it('is not blank when only a second superblock is left', async () => {
    const { dir } = await prepared();
    const file = path.join(dir, 'disk');
    writeFileSync(file, '');
    truncateSync(file, 128 * 1024 ** 2);
    expect(await isBlank(file)).toBe(true);
    const tail = Buffer.alloc(65 * 1024 ** 2);
    tail[64 * 1024 ** 2 + 64] = 1;
    writeFileSync(file, tail);
    expect(await isBlank(file)).toBe(false);
  });
});

describe('the system disk', () => {
  it('is copied once per image', async () => {
    const { dir, instance, paths } = await prepared();
    await expect(readImage(dir)).rejects.toThrow('holds no built image');
    writeFileSync(path.join(dir, 'system.raw'), 'first');
    writeFileSync(path.join(dir, 'image.json'), '{}');
    await expect(readImage(dir)).rejects.toMatchObject({ exitCode: exitCodes.badData });
    writeFileSync(path.join(dir, 'image.json'), '{"id":"one","root":{"offset":1,"bytes":2,"label":"x"},"more":3}');
    const image = await readImage(dir);
    const system = realSystem();
    expect(await prepareSystemDisk(instance, paths, image, undefined, system)).toBe('made');
    writeFileSync(paths.system, 'used');
    expect(await prepareSystemDisk(instance, paths, image, 'one', system)).toBe('kept');
    expect(readFileSync(paths.system, 'utf8')).toBe('used');
    expect(await prepareSystemDisk(instance, paths, { ...image, id: 'two' }, 'one', system)).toBe('replaced');
    expect(readFileSync(paths.system, 'utf8')).toBe('first');
  });
});
