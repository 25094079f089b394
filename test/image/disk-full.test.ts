import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildImage } from '../../src/image/build.ts';
import { fetchToFile } from '../../src/image/fetch.ts';
import type { ImageResult } from '../../src/image/image-file.ts';
import { writeFully } from '../../src/image/write-fully.ts';
import { UserError } from '../../src/kernel/errors.ts';
import type { Command } from '../../src/kernel/system.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { type FileServer, serveFiles } from '../support/file-server.ts';
import { emptyLock } from '../support/locks.ts';
import {
  honestStandIns,
  makeArchives,
  mapped,
  outputOf,
  type StandInArchives,
  type StandIns,
  standInSystem,
} from '../support/stand-in-tools.ts';

const isRoot = process.getuid?.() === 0;
const MiB = 1024 ** 2;
const artifact = randomBytes(3 * MiB);

/** A program that writes until there is no room; without root, where no small disk can be mounted, one that says so. */
const filling = (file: string, end = ''): Command => ({
  file: 'sh',
  args: [
    '-c',
    isRoot ? `dd if=/dev/zero of="$1" bs=64k conv=notrunc${end}` : 'echo "write: No space left on device" >&2; exit 1',
    'sh',
    file,
  ],
});
const last = ({ args }: Command): string => args.at(-1) ?? '';

interface Case {
  readonly stage: string;
  /** The folder that is on the small disk, and the disk's size in KiB. */
  readonly small: 'cache' | 'server';
  readonly size: number;
  readonly standIns?: StandIns;
  /** Kinds of entries that are in the cache afterwards: what was finished before. */
  readonly cached: readonly string[];
}

const all = ['artifact', 'download', 'layer', 'tools'];
const byPrograms: readonly Case[] = [
  {
    stage: 'package layer',
    small: 'cache',
    size: 12_000,
    standIns: { mmdebstrap: fillLayer },
    cached: ['artifact', 'download', 'tools'],
  },
  {
    stage: 'disk',
    small: 'server',
    size: 16_000,
    standIns: { mke2fs: ({ args }) => filling(args.at(-2) ?? '') },
    cached: all,
  },
  {
    stage: 'outputs',
    small: 'server',
    size: 16_000,
    standIns: { 'qemu-img': (command) => mapped(command) ?? filling(last(command)) },
    cached: all,
  },
];
const byOurselves: readonly Case[] = [
  { stage: 'tool root', small: 'cache', size: 128, cached: [] },
  { stage: 'downloads', small: 'cache', size: 2_000, cached: ['tools'] },
  { stage: 'files layer', small: 'cache', size: 5_000, cached: ['download', 'tools'] },
  // the program is content and leaves no room for what describes the image
  {
    stage: 'image',
    small: 'server',
    size: 16_000,
    standIns: { 'qemu-img': (command) => mapped(command) ?? filling(last(command), '; true') },
    cached: all,
  },
];

let folder = '';
let archives: StandInArchives;
let server: FileServer;
let mounted: string | undefined;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'disk-full-'));
  archives = makeArchives(folder, 8 * MiB);
  mkdirSync(path.join(folder, 'web'));
  writeFileSync(path.join(folder, 'web/a.jar'), artifact);
  server = await serveFiles(path.join(folder, 'web'));
});
afterEach(async () => {
  await server.close();
  if (mounted !== undefined) execFileSync('umount', ['--lazy', mounted]);
  mounted = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function fillLayer({ args }: Command): Command {
  return args.includes('--variant=extract') ? { file: 'cp', args: [archives.tools, outputOf(args)] } : filling(outputOf(args));
}

/** A file system with so many KiB of room and no more, until the test ends. */
function mountSmallDisk(at: string, size: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}k`, 'tmpfs', at]);
  mounted = at;
}

function build(standIns: StandIns = {}): Promise<ImageResult> {
  return buildImage(plan(), {
    dir: path.join(folder, 'server'),
    cache: path.join(folder, 'cache'),
    system: standInSystem({ ...honestStandIns(archives), ...standIns }),
    report: () => {},
    outputs: ['raw', 'qcow2'],
    machine: { memoryMiB: 1024, cpus: 1, dataMiB: 1024 },
    mirrors: {},
    lock: () => Promise.resolve(emptyLock),
    // what is checked before a build begins is another test
    freeSpace: () => Promise.resolve(Number.POSITIVE_INFINITY),
  });
}

function plan(): Plan {
  return {
    name: 'a',
    hostname: 'a',
    base: { name: 'b', title: 'B' },
    components: [],
    layer: {
      suite: 's',
      architecture: 'amd64',
      distribution: 'd',
      keyring: { file: path.join(folder, 'web/a.jar'), package: 'k' },
      packageComponents: [],
      extraSources: [],
      packages: [],
      accounts: [],
      debconf: [],
      dpkgPaths: [],
      keepModules: [],
      requiredModules: [],
      earlyFiles: [],
    },
    downloads: [
      {
        component: 'c',
        source: { url: `${server.url}/a.jar` },
        sha256: createHash('sha256').update(artifact).digest('hex'),
        to: '/opt/a.jar',
      },
    ],
    files: [],
    disk: { rootMiB: 16, kernelArguments: '' },
  };
}

/** Everything below a folder of this test, files with their digests. */
function contents(below: string): string[] {
  return readdirSync(path.join(folder, below), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => `${path.relative(folder, file)} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`)
    .sort();
}

describe('a disk that is full in the middle of a build', () => {
  it.each(isRoot ? [...byOurselves, ...byPrograms] : byPrograms)(
    'at the stage $stage is told with a remedy and exit code 4; nothing half-made stays, and with room again it is built',
    async ({ stage, small, size, standIns, cached }) => {
      const dir = path.join(folder, 'server');
      for (const place of ['server', 'cache']) mkdirSync(path.join(folder, place));
      if (isRoot) mountSmallDisk(path.join(folder, small), size);
      mkdirSync(path.join(dir, 'out'));
      for (const name of ['image.json', 'system.raw', 'system.qcow2'])
        writeFileSync(path.join(dir, 'out', name), `{"old": "${name}"}`);
      const before = contents('server/out');

      const error: unknown = await build(standIns).catch((it: unknown) => it);
      expect(error).toBeInstanceOf(UserError);
      expect(error).toMatchObject({
        message: `the disk is full (stage ${stage})`,
        hint: 'free some space, or name another folder or another cache (--cache); the unfinished files are removed',
        exitCode: 4,
      });
      const log = path.join(dir, 'build.log');
      expect((error as UserError).details.at(-1)).toBe(`log: ${log}`);
      expect((error as UserError).details.join('\n')).toMatch(/no space left on device/i);
      expect(readFileSync(log, 'utf8')).toContain(`failed in stage ${stage}: `);
      expect(readdirSync(dir).sort()).toEqual(['build.log', 'out']);
      expect(contents('server/out')).toEqual(before);
      const entries = readdirSync(path.join(folder, 'cache')).filter(
        (kind) => readdirSync(path.join(folder, 'cache', kind)).length > 0,
      );
      expect(entries.sort()).toEqual(cached);
      // a full disk is no reason to ask the publisher again
      expect(server.asked.length).toBeLessThanOrEqual(1);

      if (mounted !== undefined) execFileSync('mount', ['-o', 'remount,size=64m', mounted]);
      const image = await build();
      expect(Object.keys(image.files).sort()).toEqual(['sbom.cdx.json', 'system.qcow2', 'system.raw']);
      expect(contents('server/out')).not.toEqual(before);
      expect(contents('cache/download')).toEqual([expect.stringMatching(/^cache\/download\/([0-9a-f]{64}) \1$/)]);
    },
  );
});

describe('a disk that takes only a part of what is written', () => {
  it('gets the rest in further writes, at its place', async () => {
    const taken: [number, number | null][] = [];
    const handle = {
      write: async (_bytes: Uint8Array, offset: number, length: number, position: number | null) => {
        taken.push([offset, position]);
        return { bytesWritten: Math.min(2, length) };
      },
    };
    await writeFully(handle as unknown as FileHandle, Buffer.from('abcde'));
    await writeFully(handle as unknown as FileHandle, Buffer.from('abc'), 100);
    expect(taken).toEqual([
      [0, null],
      [2, null],
      [4, null],
      [0, 100],
      [2, 102],
    ]);
  });

  // without root there is no such disk to be had
  if (isRoot)
    it('never leaves a download cut off that counts as whole', async () => {
      mkdirSync(path.join(folder, 'small'));
      mountSmallDisk(path.join(folder, 'small'), 24);
      writeFileSync(path.join(folder, 'web/b.jar'), artifact.subarray(0, 30 * 1024));
      const fetching = fetchToFile(`${server.url}/b.jar`, path.join(folder, 'small/b.jar'), { pause: 1 });
      await expect(fetching).rejects.toMatchObject({ code: 'ENOSPC' });
      expect(server.asked).toEqual(['/b.jar']);
    });
});
