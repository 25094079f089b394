import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, expect, it } from 'vitest';
import { machinePaths, makeMachineFolder } from '../../src/machine/instance.ts';
import { keepSshKey } from '../../src/machine/keys.ts';

const keys = process.env.DEVSERVER_TEST_SIZE === 'quick' ? 100 : 1500;
const dir = mkdtempSync(path.join(tmpdir(), 'keys-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('makes keys that can be read, each time, and keeps a good one', async () => {
  const paths = makeMachineFolder(dir);
  // of as many keys as this, ssh2 alone makes several that nobody can read
  for (let count = 0; count < keys; count += 1) {
    rmSync(paths.sshKey, { force: true });
    keepSshKey(paths, 'test');
    expect(ssh2.utils.parseKey(readFileSync(paths.sshKey))).not.toBeInstanceOf(Error);
  }
  const kept = readFileSync(paths.sshKey, 'utf8');
  keepSshKey(paths, 'test');
  expect(readFileSync(paths.sshKey, 'utf8')).toBe(kept);
});

it('replaces one that can not be read', () => {
  const paths = machinePaths(dir);
  writeFileSync(paths.sshKey, 'damaged');
  keepSshKey(paths, 'test');
  expect(ssh2.utils.parseKey(readFileSync(paths.sshKey))).not.toBeInstanceOf(Error);
});
