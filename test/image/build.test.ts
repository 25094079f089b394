import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tellFailure } from '../../src/image/failure.ts';
import {
  type ImageResult,
  missingOutputs,
  type NewImage,
  publishImage,
  readImage,
  unchangedImage,
} from '../../src/image/image-file.ts';
import { openLog } from '../../src/image/log.ts';
import { outputRecipes } from '../../src/image/outputs/recipes.ts';
import { requireSigningKey, signatureNamespace, signSums } from '../../src/image/outputs/sign.ts';
import { requireSpace } from '../../src/image/space.ts';
import { toolCommand } from '../../src/image/tools.ts';
import { withWorkFolder } from '../../src/image/work-folder.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { type OutputFormat, outputFile } from '../../src/plan/output-formats.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'build-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const machine = { memoryMiB: 3072, cpus: 2, dataMiB: 20_480 };
const recipes = await outputRecipes(machine, undefined);
const otherRecipes = await outputRecipes({ ...machine, cpus: 4 }, undefined);
const image: NewImage = {
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

const folderOf = (): string => path.join(dir, 'out');

/** Publishes outputs of another image, or further ones of the one that is there. */
async function publish(made: readonly OutputFormat[], same?: ImageResult, by = recipes) {
  const folder = folderOf();
  mkdirSync(folder, { recursive: true });
  return withWorkFolder(dir, async (work) => {
    for (const format of made) writeFileSync(path.join(work, outputFile(format)), format);
    writeFileSync(path.join(work, 'sbom.cdx.json'), '{}');
    return publishImage(image, { work, folder, made, digests: new Map(), recipes: by, same });
  });
}

test('outputs appear together with the file that describes them, and are known again', async () => {
  await publish(['raw', 'qcow2']);
  expect(readdirSync(folderOf()).sort()).toEqual(['SHA256SUMS', 'image.json', 'sbom.cdx.json', 'system.qcow2', 'system.raw']);
  expect(readdirSync(dir)).toEqual(['out']);
  const there = await unchangedImage(folderOf(), 'k');
  expect(there).toMatchObject({ id: 'i', folder: folderOf() });
  expect(missingOutputs(there, ['raw', 'qcow2'], recipes)).toEqual([]);
  expect(missingOutputs(there, ['raw', 'ova'], recipes)).toEqual(['ova']);
  expect(await unchangedImage(folderOf(), 'other')).toBeUndefined();
});

test('an output that somebody changed is built again', async () => {
  await publish(['raw']);
  for (const name of ['system.raw', 'sbom.cdx.json', 'SHA256SUMS']) {
    await publish(['raw']);
    expect(await unchangedImage(folderOf(), 'k')).toBeDefined();
    writeFileSync(path.join(folderOf(), name), 'other');
    expect(await unchangedImage(folderOf(), 'k'), name).toBeUndefined();
  }
});

test('further outputs of an image come to those that are there, and the digests are of all', async () => {
  await publish(['raw', 'qcow2']);
  await publish(['ova'], await unchangedImage(folderOf(), 'k'));
  const whole = await realSystem().run({ file: 'sha256sum', args: ['--check', '--strict', 'SHA256SUMS'], cwd: folderOf() });
  expect(whole.stdout).toBe('system.raw: OK\nsystem.qcow2: OK\nsbom.cdx.json: OK\nappliance.ova: OK');
  const there = await unchangedImage(folderOf(), 'k');
  expect(missingOutputs(there, ['raw', 'qcow2', 'ova'], recipes)).toEqual([]);
  expect(missingOutputs(there, ['raw', 'qcow2', 'ova'], otherRecipes), 'of another machine').toEqual(['ova']);
});

test('an output by another recipe does not stay when others are made', async () => {
  await publish(['raw', 'qcow2', 'ova']);
  await publish(['vmdk'], await unchangedImage(folderOf(), 'k'), otherRecipes);
  expect(readdirSync(folderOf()).sort()).toEqual([
    ...['SHA256SUMS', 'image.json', 'sbom.cdx.json', 'system.qcow2', 'system.raw', 'system.vmdk'],
  ]);
});

test('an output of an earlier image does not stay beside a later one, nor does its signature', async () => {
  await publish(['raw', 'qcow2']);
  writeFileSync(path.join(folderOf(), 'SHA256SUMS.sig'), 'of the earlier');
  await publish(['qcow2']);
  expect(readdirSync(folderOf()).sort()).toEqual(['SHA256SUMS', 'image.json', 'sbom.cdx.json', 'system.qcow2']);
});

test('SHA256SUMS is signed so that ssh-keygen takes it, and what can not sign is refused', async () => {
  await publish(['raw']);
  const key = path.join(dir, 'key');
  const system = realSystem();
  await system.run({ file: 'ssh-keygen', args: ['-q', '-t', 'ed25519', '-N', '', '-f', key] });
  await signSums(folderOf(), key, system);
  writeFileSync(path.join(dir, 'signers'), `release ${readFileSync(`${key}.pub`, 'utf8')}`);
  const sums = path.join(folderOf(), 'SHA256SUMS');
  const check = ['-Y', 'verify', '-f', path.join(dir, 'signers'), '-I', 'release', '-n', signatureNamespace, '-s', `${sums}.sig`];
  const verified = (input: string) => system.run({ file: 'ssh-keygen', args: check, input }, { accept: 'any' });
  expect((await verified(readFileSync(sums, 'utf8'))).exitCode).toBe(0);
  expect((await verified('another text')).exitCode).not.toBe(0);
  writeFileSync(path.join(dir, 'none'), 'no key\n', { mode: 0o600 });
  await expect(signSums(folderOf(), path.join(dir, 'none'), system)).rejects.toMatchObject({ exitCode: 2 });
  await expect(requireSigningKey(path.join(dir, 'gone'), system)).rejects.toMatchObject({ exitCode: 2 });
  await requireSigningKey(key, system);
  await system.run({ file: 'ssh-keygen', args: ['-q', '-t', 'ed25519', '-N', 'a passphrase', '-f', `${key}-closed`] });
  await expect(requireSigningKey(`${key}-closed`, system)).rejects.toThrow(/can not sign: .*passphrase/);
  expect((await verified(readFileSync(sums, 'utf8'))).exitCode, 'the earlier signature stays').toBe(0);
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
