import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReportEvent } from '../../src/kernel/report.ts';
import { keepDisasterKey } from '../../src/machine/disaster-key.ts';

let folder = '';
const said: ReportEvent[] = [];
const files = () => ({ secret: path.join(folder, 'disaster-key'), recipient: path.join(folder, 'recipient') });
const keep = (): Promise<string> => keepDisasterKey(files(), (event) => void said.push(event));

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'folder-'));
  said.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the disaster key', () => {
  it('is made once, for its owner alone, with the advice to move it away', async () => {
    const recipient = await keep();
    const { secret } = files();
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    const identity = /^AGE-SECRET-KEY-1\S+$/m.exec(readFileSync(secret, 'utf8'))?.[0] ?? '';
    expect(await identityToRecipient(identity)).toBe(recipient);
    expect(said).toEqual([{ type: 'warning', text: expect.stringContaining('the only copy') as string }]);
    expect(JSON.stringify(said)).not.toContain(identity);
    expect(await keep()).toBe(recipient);
    expect(said).toHaveLength(1);
  });

  it('is not made again when its owner has moved it away', async () => {
    const recipient = await keep();
    rmSync(files().secret);
    expect(await keep()).toBe(recipient);
    expect(() => statSync(files().secret)).toThrow();
  });

  it('is the same again for a machine that is made anew', async () => {
    const recipient = await keep();
    rmSync(files().recipient);
    expect(await keep()).toBe(recipient);
  });
});
