import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tellFailure } from '../../src/image/failure.ts';
import { type ImageFile, publishImage, readImage, unchangedImage } from '../../src/image/image-file.ts';
import { openLog } from '../../src/image/log.ts';
import { requireSpace } from '../../src/image/space.ts';
import { toolCommand } from '../../src/image/tools.ts';
import { withWorkFolder } from '../../src/image/work-folder.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { realSystem } from '../../src/kernel/system.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'build-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const image: Omit<ImageFile, 'bytes' | 'files'> = {
  format: 1,
  name: 'a',
  hostname: 'a',
  base: { name: 'b', title: 'B' },
  components: [],
  id: 'i',
  inputs: 'k',
  built: '2026-01-01T00:00:00.000Z',
  rootMiB: 1,
  kernel: '6',
  root: { offset: 0, bytes: 0, label: 'l', uuid: 'u' },
  seconds: {},
  packages: [],
};

async function publish(outputs: readonly ('raw' | 'qcow2')[]) {
  const folder = path.join(dir, 'out');
  mkdirSync(folder, { recursive: true });
  await withWorkFolder(dir, async (work) => {
    for (const format of outputs) writeFileSync(path.join(work, `system.${format}`), 'disk');
    await publishImage(image, { work, folder, outputs });
  });
  return folder;
}

test('outputs appear together with the file that describes them, and are known again', async () => {
  const folder = await publish(['raw', 'qcow2']);
  expect(readdirSync(folder).sort()).toEqual(['image.json', 'system.qcow2', 'system.raw']);
  expect(readdirSync(dir)).toEqual(['out']);
  expect(await unchangedImage(folder, 'k', ['raw', 'qcow2'])).toMatchObject({ id: 'i', folder });
  expect(await unchangedImage(folder, 'other', ['raw', 'qcow2'])).toBeUndefined();
  expect(await unchangedImage(folder, 'k', ['raw'])).toBeUndefined();
});

test('an output that somebody changed is built again', async () => {
  const folder = await publish(['raw']);
  writeFileSync(path.join(folder, 'system.raw'), 'other');
  expect(await unchangedImage(folder, 'k', ['raw'])).toBeUndefined();
});

test('an output of an earlier build does not stay beside a later one', async () => {
  await publish(['raw', 'qcow2']);
  expect(readdirSync(await publish(['qcow2'])).sort()).toEqual(['image.json', 'system.qcow2']);
});

test('an image.json we do not understand counts as none', async () => {
  writeFileSync(path.join(dir, 'image.json'), '{"format": 2}');
  expect(await readImage(dir)).toBeUndefined();
});

test('a failed build leaves no work folder', async () => {
  await expect(withWorkFolder(dir, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
  expect(readdirSync(dir)).toEqual([]);
});

test('commands and their lines are in the log, and a failure names it', async () => {
  const file = path.join(dir, 'build.log');
  const log = await openLog(file, realSystem(), () => {});
  await log.system.run({ file: 'echo', args: ['hello world'] });
  const error = await log.system.run({ file: 'sh', args: ['-c', 'echo broken; exit 3'] }).catch((it) => it);
  const told = tellFailure(error, 'disk', log);
  await log.close();
  expect(told).toMatchObject({ message: 'disk: sh ended with code 3' });
  expect((told as UserError).details).toEqual(["$ sh -c 'echo broken; exit 3'", 'broken', `log: ${file}`]);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain("$ echo 'hello world'");
  expect(text).toContain('  hello world');
  expect(text).toContain('failed in stage disk');
});

test.each([
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
  new UserError('mke2fs ended with code 1', { details: ['mke2fs: No space left on device while writing'] }),
])('a full disk is told as one, whoever noticed', async (error) => {
  const log = await openLog(path.join(dir, 'build.log'), realSystem(), () => {});
  expect(tellFailure(error, 'disk', log)).toMatchObject({
    message: 'the disk is full (stage disk)',
    exitCode: 4,
  });
  await log.close();
});

test('too little space is noticed before the start, needs on one file system added up', async () => {
  await requireSpace([{ folder: dir, bytes: 1 }]);
  const half = { folder: dir, bytes: 1e18 };
  await expect(requireSpace([half, half])).rejects.toMatchObject({
    exitCode: 4,
    message: expect.stringContaining('needs 2000000000.0 GB'),
  });
});

test('a tool runs by the loader and libraries of its own root', () => {
  mkdirSync(path.join(dir, 'usr/sbin'), { recursive: true });
  writeFileSync(path.join(dir, 'usr/sbin/mke2fs'), '');
  const command = toolCommand(dir, 'mke2fs', ['-V']);
  expect(command.file).toBe(`${dir}/usr/lib64/ld-linux-x86-64.so.2`);
  expect(command.args.slice(-2)).toEqual([`${dir}/usr/sbin/mke2fs`, '-V']);
  expect(command.env?.MKE2FS_CONFIG).toBe(`${dir}/etc/mke2fs.conf`);
  expect(() => toolCommand(dir, 'nothing', [])).toThrow('holds no nothing');
  expect(existsSync(command.file)).toBe(false);
});
