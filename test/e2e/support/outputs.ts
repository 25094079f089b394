import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { toolCommand } from '../../../src/image/tools.ts';
import { checkout, must, run } from './cli.ts';

/**
 * Opens each output of DIR/out with somebody else's tool: qemu-img, tar, sha256sum, xmllint with DMTF's schema, zstd, blkid,
 * bsdtar, and Vagrant where there is one.
 * @param cache whose tool root has qemu-img.
 */
export async function openOutputs(out: string, cache: string): Promise<void> {
  const folder = mkdtempSync(path.join(out, '..', 'opened-'));
  try {
    expect(await must('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: out })).not.toMatch(/FAILED/);
    await openMachine(out, folder, cache);
    await openRoot(out);
    await openBoxes(out, folder, cache);
    await openSeed(path.join(out, 'seed.iso'), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openMachine(out: string, folder: string, cache: string): Promise<void> {
  const ova = path.join(folder, 'ova');
  mkdirSync(ova);
  const names = ['appliance.ovf', 'appliance.mf', 'system.vmdk', 'data.vmdk'];
  expect((await must('tar', ['-tf', path.join(out, 'appliance.ova')])).trim().split('\n'), 'the descriptor first').toEqual(names);
  await must('tar', ['-xf', path.join(out, 'appliance.ova'), '-C', ova]);
  for (const line of readFileSync(path.join(ova, 'appliance.mf'), 'utf8').trim().split('\n')) {
    const [, name = '', digest = ''] = /^SHA256\((.+)\)= ([0-9a-f]{64})$/.exec(line) ?? [];
    expect(await must('sha256sum', [path.join(ova, name)])).toContain(digest);
  }
  const schema = path.join(checkout, 'test/fixtures/ovf/dsp8023_1.1.1.xsd');
  await must('xmllint', ['--nonet', '--noout', '--schema', schema, path.join(ova, 'appliance.ovf')]);
  const descriptor = readFileSync(path.join(ova, 'appliance.ovf'), 'utf8');
  for (const disk of ['system', 'data']) {
    const about = JSON.parse(await qemuImg(cache, ['info', '--output=json', path.join(ova, `${disk}.vmdk`)])) as {
      'virtual-size': number;
      'format-specific': { data: { 'create-type': string } };
    };
    expect(about['format-specific'].data['create-type']).toBe('streamOptimized');
    expect(descriptor).toContain(`ovf:diskId="${disk}" ovf:fileRef="${disk}-file" ovf:capacity="${about['virtual-size']}"`);
  }
  const raw = path.join(out, 'system.raw');
  for (const disk of [path.join(ova, 'system.vmdk'), path.join(out, 'system.vmdk'), path.join(out, 'system.qcow2')])
    expect(await qemuImg(cache, ['compare', raw, disk]), disk).toContain('Images are identical.');
}

/** It is the root file system that image.json names. */
async function openRoot(out: string): Promise<void> {
  const { id } = JSON.parse(readFileSync(path.join(out, 'image.json'), 'utf8')) as { id: string };
  const script = 'set -o pipefail; zstd -dc "$1" | tee >(tar -t > /dev/null) | sha256sum';
  expect(await must('bash', ['-c', script, 'bash', path.join(out, 'root.tar.zst')])).toContain(id);
}

/** It is the disk that NoCloud looks for, and the installer on it is whole. */
async function openSeed(iso: string, folder: string): Promise<void> {
  expect(await must('blkid', ['-o', 'value', '-s', 'LABEL', '-s', 'TYPE', iso])).toBe('CIDATA\niso9660\n');
  const seed = path.join(folder, 'seed');
  mkdirSync(seed);
  await must('bsdtar', ['-xf', iso, '-C', seed]);
  expect(readdirSync(seed).sort()).toEqual(['installer.tar.gz', 'meta-data', 'user-data']);
  const user = readFileSync(path.join(seed, 'user-data'), 'utf8');
  expect(user).toMatch(/^#cloud-config\n/);
  const [[shell, flag, script] = []] = (parse(user) as { runcmd: string[][] }).runcmd;
  expect([shell, flag]).toEqual(['sh', '-c']);
  await must('sh', ['-n', '-c', script ?? '']);
  await must('tar', ['-xzf', path.join(seed, 'installer.tar.gz'), '-C', seed]);
  await must('sh', ['-n', path.join(seed, 'install.sh')]);
  const named = readFileSync(path.join(seed, 'files'), 'utf8').trim().split('\n');
  const held = (await must('tar', ['-tf', path.join(seed, 'files.tar')]))
    .split('\n')
    .map((name) => `/${name.replace(/^\.?\//, '')}`);
  expect(held).toEqual(expect.arrayContaining(named));
}

async function openBoxes(out: string, folder: string, cache: string): Promise<void> {
  for (const provider of ['libvirt', 'virtualbox']) {
    const box = path.join(out, `vagrant-${provider}.box`);
    const inside = path.join(folder, provider);
    mkdirSync(inside);
    await must('tar', ['-xf', box, '-C', inside]);
    expect(JSON.parse(readFileSync(path.join(inside, 'metadata.json'), 'utf8'))).toMatchObject({ provider });
    const disk = path.join(inside, provider === 'libvirt' ? 'box.img' : 'system.vmdk');
    expect(await qemuImg(cache, ['compare', path.join(out, 'system.raw'), disk])).toContain('Images are identical.');
    if ((await run('vagrant', ['--version'])).exitCode === 0) await addBox(box, path.join(folder, `${provider}-added`));
  }
}

/** Vagrant takes the box, and the settings in it beside a Vagrantfile that names it. */
async function addBox(box: string, folder: string): Promise<void> {
  mkdirSync(folder);
  const env = { VAGRANT_HOME: path.join(folder, 'home'), VAGRANT_CHECKPOINT_DISABLE: '1', HOME: folder };
  await must('vagrant', ['box', 'add', '--name', 'devserver', box], { env, cwd: folder });
  writeFileSync(path.join(folder, 'Vagrantfile'), 'Vagrant.configure("2") { |config| config.vm.box = "devserver" }\n');
  expect(await must('vagrant', ['validate', '--ignore-provider'], { env, cwd: folder })).toContain('validated successfully');
}

function qemuImg(cache: string, args: readonly string[]): Promise<string> {
  const roots = readdirSync(path.join(cache, 'tools')).map((name) => path.join(cache, 'tools', name));
  const root = roots.find((it) => readdirSync(path.join(it, 'usr/bin')).includes('qemu-img'));
  const { file, args: all, env } = toolCommand(root ?? '', 'qemu-img', args);
  return must(file, all, { env: { ...env } });
}
