import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BackupFault, type BackupReason } from '../../../src/kernel/backup/fault.ts';
import { compareBytePaths } from '../../../src/kernel/backup/listing.ts';
import { readBackup } from '../../../src/kernel/backup/read.ts';
import { sealBytes, sealed, unsealed } from '../../../src/kernel/backup/seal.ts';
import { bytesOf, collected, headerOf, madeUpTree, pieces, readTree, type Tree } from '../../support/backup-tree.ts';
import { counted } from '../../support/counted.ts';
import { randomFrom } from '../../support/random.ts';

const full = process.env.DEVSERVER_TEST_SIZE === 'full';
const seed = process.env.DEVSERVER_SEED ?? '4711';
const random = randomFrom(seed);

/** Why a backup is not taken; a fault that is none of ours fails the test. */
async function refusal(read: Promise<unknown>): Promise<BackupReason> {
  const error = await read.then(
    () => new Error('it was taken'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof BackupFault)) throw error;
  expect([error.exitCode, error.hint]).toEqual([3, expect.any(String)]);
  return error.reason;
}

/** The archive of a backup, sealed anew after `change`. */
async function resealed(bytes: Buffer, change: (archive: Buffer) => Buffer): Promise<Buffer> {
  return collected(sealed(pieces(change(Buffer.from(bytes.subarray(0, -sealBytes))), 4096)));
}

const text = (tree: Tree): unknown =>
  [...tree].map(([part, entries]) => [part, entries.map((it) => ({ ...it, content: it.content.toString('latin1') }))]);

describe(`a backup (seed ${seed})`, () => {
  it('gives back what was put into it, whatever the names, in pieces of any size', async () => {
    for (let round = 0; round < (full ? 300 : 15); round += 1) {
      const tree = madeUpTree(random);
      const bytes = await bytesOf(tree);
      const read = await readTree(bytes, 1 + Math.floor(random() * 3000));
      const present = new Map([...tree].filter(([, entries]) => entries.length > 0));
      expect(text(read.tree)).toEqual(text(present));
      expect(read.damaged).toEqual([]);
      expect(read.header).toEqual(headerOf([...tree.keys()]));
      expect(read.manifest.parts['system/ldap']).toMatchObject({ entries: 0, bytes: 0 });
      expect(read.manifest.pause).toBe(0.25);
    }
  });

  it('is taken without what it holds being looked at', async () => {
    const bytes = await bytesOf(madeUpTree(random));
    const whole = await readTree(bytes);
    const glanced = await readBackup(unsealed(pieces(bytes, 100)), {
      entry: async (_, content) => {
        for await (const _piece of content) break;
      },
    });
    expect(glanced).toEqual({ header: whole.header, manifest: whole.manifest, damaged: [] });
  });

  it('opens with tar', async () => {
    const tree = madeUpTree(random, 30);
    const folder = mkdtempSync(path.join(tmpdir(), 'backup-'));
    try {
      execFileSync('tar', ['--extract', '--warning=no-timestamp', '--file', '-', '--directory', folder], {
        input: (await bytesOf(tree)).subarray(0, -sealBytes),
      });
      for (const [part, entries] of tree)
        for (const { kind, path: name, content, mtime } of entries) {
          const file = Buffer.from(path.join(folder, 'parts', part, name), 'latin1');
          const found = statSync(file);
          expect([found.isDirectory(), (found.mode & 0o100) !== 0], name).toEqual([kind === 'd', kind !== 'f']);
          if (kind === 'd') continue;
          expect(readFileSync(file).equals(content), name).toBe(true);
          expect(Math.floor(found.mtimeMs / 1000), name).toBe(mtime);
        }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('sorts a folder before what it holds, and that before its neighbours', () => {
    const paths = ['a', 'a/b', 'a/b/c', 'a/b-', 'a\n', 'a-', 'a.b', 'a0', 'b'];
    expect([...paths].reverse().sort(compareBytePaths)).toEqual(paths);
  });

  it('shows every flipped bit and every cut', async () => {
    const bytes = await bytesOf(madeUpTree(random));
    const flips = full ? 1000 : 60;
    for (let index = 0; index < flips; index += 1) {
      const damaged = Buffer.from(bytes);
      const at = index < 40 ? bytes.length - 1 - index : Math.floor(random() * bytes.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      await refusal(readTree(damaged, 4096));
    }
    const cuts = full ? 200 : 30;
    for (let index = 0; index < cuts; index += 1) {
      const length = index < 10 ? bytes.length - 1 - index : Math.floor(random() * bytes.length);
      await refusal(readTree(bytes.subarray(0, length), 4096));
    }
    await refusal(readTree(Buffer.concat([bytes, Buffer.alloc(512)]), 4096));
    counted({ flips, cuts });
  });

  it('names the part whose content was changed, also where the seal fits', async () => {
    const bytes = await bytesOf(
      new Map([
        ['system/core', [{ kind: 'f' as const, path: 'one', mtime: 0, content: Buffer.from('as it was') }]],
        ['projects/shop/git', [{ kind: 'f' as const, path: 'HEAD', mtime: 0, content: Buffer.from('ref: main') }]],
      ]),
    );
    const changed = await resealed(bytes, (archive) => {
      archive.write('was it as', archive.indexOf('as it was'));
      return archive;
    });
    expect((await readTree(changed)).damaged).toEqual(['system/core']);
  });

  it('of a later release is refused before anything of it is read', async () => {
    const tree = madeUpTree(random);
    const names = [...tree.keys()];
    let asked = 0;
    const visitor = {
      header: () => {
        asked += 1;
      },
    };
    const with_ = async (header: object): Promise<BackupReason> =>
      refusal(readTree(await bytesOf(tree, { ...headerOf(names), ...header }), 777, visitor));
    expect(await with_({ format: 2 })).toBe('newer');
    expect(await with_({ needs: ['sparse-files'] })).toBe('newer');
    expect(asked).toBe(0);
    const more = { ...headerOf(names), colour: 'red' };
    expect((await readTree(await bytesOf(tree, more), 777, visitor)).header).toEqual(headerOf(names));
    expect(asked).toBe(1);
  });

  it('tells in its error which release wrote it', async () => {
    const bytes = await bytesOf(new Map(), { ...headerOf([]), format: 9, appliance: { release: '7.1.0', base: 'debian-13' } });
    await expect(readTree(bytes)).rejects.toThrow(/format 9 \(written by release 7\.1\.0\)/);
  });
});
