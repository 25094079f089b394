import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openedFile } from '../../../provision/backup/opened.ts';
import { closeEnvelope } from '../../../src/kernel/backup/envelope.ts';
import type { BackupFault } from '../../../src/kernel/backup/fault.ts';
import { through } from '../../../src/kernel/backup/filter.ts';
import { readHeader } from '../../../src/kernel/backup/read.ts';
import { sealed } from '../../../src/kernel/backup/seal.ts';
import { writeBackup } from '../../../src/kernel/backup/write.ts';
import { inPairs } from '../../e2e/support/clients.ts';
import { collected, headerOf, pieces } from '../../support/backup-tree.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'opened-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function* none(): AsyncGenerator<never> {}
const archive = (): AsyncIterable<Uint8Array> =>
  writeBackup({ header: headerOf([]), pause: 0, open: () => ({ entries: none(), leftOut: () => [] }) });

function fileOf(bytes: Uint8Array, name = 'file'): string {
  const file = path.join(dir, name);
  writeFileSync(file, bytes);
  return file;
}

const reasonOf = (bytes: Uint8Array, name?: string): Promise<string> =>
  collected(openedFile(fileOf(bytes, name), undefined)).then(
    () => 'taken',
    (error: BackupFault) => `${error.reason}: ${error.message}`,
  );

/** Programs that run with a file of the test's open. */
const holders = async (): Promise<string> =>
  (
    await collected(
      through({ file: 'sh', args: ['-c', `ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c ${dir} || true`], hint: '' }, none()),
    )
  ).toString();

describe('a backup on this machine', () => {
  it('is opened by the programs, and left when nobody reads on', async () => {
    const whole = await collected(archive());
    const file = fileOf(await collected(closeEnvelope(archive(), { level: 3, recipients: [] })));
    expect((await collected(openedFile(file, undefined))).equals(whole)).toBe(true);
    expect(await readHeader(openedFile(file, undefined))).toEqual(headerOf([]));
    expect((await holders()).trim()).toBe('0');
  });

  it('is told apart from what is none, what is locked, and what was changed or cut short anywhere', async () => {
    const bytes = await collected(closeEnvelope(archive(), { level: 3, recipients: [] }));
    expect(await reasonOf(Buffer.alloc(0))).toMatch(/^refused: it is no backup/);
    expect(await reasonOf(Buffer.from('root:x:0:0:'))).toMatch(/^refused: it is no backup/);
    expect(await reasonOf(Buffer.from('age-encryption.org/v1\n-> X25519 x\n'))).toMatch(/^locked: it is encrypted, and no key/);
    const places = Array.from(bytes.keys()).filter((at) => at >= 4 && at % 5 === 0);
    await inPairs(places, async (at) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 16;
      expect(await reasonOf(changed, `changed-${at}`), `byte ${at}`).toMatch(/^(damaged|refused: its compressed data asks)/);
    });
    for (const length of [bytes.length - 1, bytes.length - 48, 60, 30, 5])
      expect(await reasonOf(bytes.subarray(0, length)), `${length} bytes`).toMatch(/^damaged/);
    expect(await reasonOf(Buffer.concat([bytes, Buffer.alloc(9)]))).toMatch(/^damaged/);
  });

  it('is not given more memory than a backup may ask for', async () => {
    const zstd = (...args: string[]) =>
      through({ file: 'zstd', args: ['--quiet', '--stdout', ...args], hint: '' }, pieces(Buffer.alloc(40 << 20), 1 << 20));
    expect(await reasonOf(await collected(sealed(zstd('--long=26'))))).toBe(
      'refused: its compressed data asks for more than 8 MiB of memory',
    );
    expect(await reasonOf(await collected(sealed(zstd('-3'))))).toBe('taken');
    // zstd reads more formats than its own; what they may ask for is limited all the same
    const xz = through(
      { file: 'xz', args: ['--stdout', '--lzma2=preset=0,dict=256MiB'], hint: '' },
      pieces(Buffer.alloc(1 << 20), 1 << 20),
    );
    const both = Buffer.concat([await collected(zstd('-3')), await collected(xz)]);
    const two = (async function* () {
      yield both;
    })();
    expect(await reasonOf(await collected(sealed(two)))).toMatch(/^(refused|damaged)/);
  });

  it('that can not be read says why', async () => {
    await expect(collected(openedFile(path.join(dir, 'none'), undefined))).rejects.toThrow(/ENOENT/);
  });
});
