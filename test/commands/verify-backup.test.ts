import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runVerifyBackup } from '../../src/commands/verify-backup.ts';
import { closeEnvelope } from '../../src/kernel/backup/envelope.ts';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import { sealBytes, sealed } from '../../src/kernel/backup/seal.ts';
import { bytesOf, collected, madeUpTree, pieces } from '../support/backup-tree.ts';
import { randomFrom } from '../support/random.ts';

const seed = process.env.DEVSERVER_SEED ?? '4711';
const random = randomFrom(seed);
let folder = '';
let identity = '';
let plain: Buffer;
let locked: Buffer;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'folder-'));
  const archive = (await bytesOf(madeUpTree(random, 40))).subarray(0, -sealBytes);
  plain = await collected(closeEnvelope(pieces(archive, 10_000), { level: 3, recipients: [] }));
  identity = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  locked = Buffer.from(await encrypter.encrypt(plain));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What it says of these bytes. */
async function verify(bytes: Buffer, key?: string): Promise<{ text: string; value: Record<string, unknown>; stages: string[] }> {
  const file = path.join(folder, 'a.devserver');
  writeFileSync(file, bytes);
  const keyFile = path.join(folder, 'key');
  if (key !== undefined) writeFileSync(keyFile, key);
  const said = { text: '', value: {}, stages: [] as string[] };
  const output = {
    json: false,
    report: (event: { type: string; state?: string }) => void (event.type === 'stage' && said.stages.push(event.state ?? '')),
    result: (text: string, value: object) => void Object.assign(said, { text, value }),
  };
  const { signal } = new AbortController();
  await runVerifyBackup(file, key === undefined ? {} : { key: keyFile }, { output, signal } as never);
  return said;
}

const reasonOf = (bytes: Buffer, key?: string): Promise<string> =>
  verify(bytes, key).then(
    () => 'whole',
    (error: unknown) => (error instanceof BackupFault ? error.reason : String(error)),
  );

describe(`a backup without an appliance (seed ${seed})`, () => {
  it('is whole, encrypted or not', async () => {
    const { text, value, stages } = await verify(plain);
    expect(text).toContain('a.devserver is whole: devserver at 2026-11-25T10:00:00Z, release 0.1.0 on debian-13, 5 parts with ');
    expect(value).toMatchObject({ host: 'devserver', parts: 5 });
    expect(stages).toEqual(['start', 'done']);
    expect((await verify(locked, `# created\n# public key: x\n${identity}\n`)).value).toEqual({
      ...value,
      seconds: expect.any(Number) as number,
    });
  });

  it('shows every flipped bit and every cut', async () => {
    for (const [bytes, key] of [
      [plain, undefined],
      [locked, identity],
    ] as const)
      for (let round = 0; round < 60; round += 1) {
        const at = Math.floor(random() * bytes.length);
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8));
        expect(await reasonOf(changed, key), `bit in byte ${at} of ${bytes.length}`).toMatch(/^(damaged|refused|locked)$/);
        const length = round === 0 ? bytes.length - 1 : Math.floor(random() * bytes.length);
        expect(await reasonOf(bytes.subarray(0, length), key), `${length} of ${bytes.length}`).toMatch(
          /^(damaged|refused|locked)$/,
        );
      }
  });

  it('takes no memory that its length does not tell', async () => {
    // 16,000 blocks of one byte that each becomes 128 KiB: 2 GB out of 64 KB
    const block = Buffer.alloc(4);
    block.writeUIntLE(((128 << 10) << 3) | 2, 0, 3);
    const frame = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x50]), ...Array<Buffer>(16_000).fill(block)]);
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before);
    }, 5);
    expect(await reasonOf(await collected(sealed(pieces(frame, 65_536))))).toMatch(/damaged|refused/);
    clearInterval(watch);
    expect(most).toBeLessThan(150 << 20);
  });

  it('is told apart from what needs another key, or is none', async () => {
    expect(await reasonOf(locked)).toBe('locked');
    expect(await reasonOf(locked, await generateX25519Identity())).toBe('locked');
    for (const none of ['no key at all', 'AGE-SECRET-KEY-1NONE']) expect(await reasonOf(locked, none)).toBe('locked');
    expect(await reasonOf(readFileSync('/etc/passwd'))).toBe('refused');
    expect(await reasonOf(Buffer.alloc(0))).toBe('refused');
    expect(await reasonOf(Buffer.concat([plain, Buffer.from('more')]))).toBe('damaged');
  });
});
