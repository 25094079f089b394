import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settleDisasterKey } from '../../provision/boot/settle-disaster-key.ts';
import type { System } from '../../src/kernel/system.ts';

let folder = '';
let told: string[] = [];
let shown: string[] = [];
const file = (): string => path.join(folder, 'secrets/disaster');
let made = '';
let isThere = true;

/** age-keygen. */
const system = {
  run: async () => {
    made = await generateX25519Identity();
    return { stdout: `# created: now\n# public key: ${await identityToRecipient(made)}\n${made}\n`, stderr: '', exitCode: 0 };
  },
} as unknown as System;
const settle = (credentials?: string): Promise<void> =>
  settleDisasterKey(
    credentials,
    system,
    (text) => void told.push(text),
    (text) => shown.push(text) > 0 && isThere,
    file(),
  );

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'folder-'));
  [told, shown, made, isThere] = [[], [], '', true];
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the disaster key of a first boot', () => {
  it('is the one that was given, of which the public half alone is known', async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    writeFileSync(path.join(folder, 'devserver.disaster-recipient'), recipient);
    await settle(folder);
    expect(readFileSync(file(), 'utf8')).toBe(`${recipient}\n`);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect([made, told, shown]).toEqual(['', [], []]);
  });

  it('is made and shown on the console once where none was given', async () => {
    await settle();
    expect(readFileSync(file(), 'utf8')).toBe(`${await identityToRecipient(made)}\n`);
    expect(shown).toEqual([expect.stringContaining(made)]);
    expect(told).toEqual([]);
    await settle();
    expect(shown).toHaveLength(1);
  });

  it('that nobody can have seen is none', async () => {
    isThere = false;
    await settle();
    expect(existsSync(file())).toBe(false);
    expect(told).toEqual([expect.stringContaining('devserver backup key --new')]);
  });

  it('that is none is told, and keeps nothing from coming up', async () => {
    writeFileSync(path.join(folder, 'devserver.disaster-recipient'), 'age1nonsense');
    await settle(folder);
    expect(existsSync(file())).toBe(false);
    expect(told).toEqual(['there is no key for when this machine is gone: it is no public key of age']);
  });
});
