import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withKeyFile } from '../../../provision/commands/restore-key.ts';
import { offerWarnings } from '../../../provision/daemon/warnings.ts';
import { dropOffer, keepOffer, readOffer } from '../../../provision/restore/offer.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a backup on a disk, found by an appliance that has nothing yet', () => {
  const offer = { file: 'dev-20260101T000000Z.devserver', host: 'dev', device: '/dev/sdb' };

  it('is offered until there are projects, or it was taken', () => {
    const file = path.join(folder, 'offer.json');
    expect(readOffer(false, file)).toBeUndefined();
    keepOffer(offer, file);
    expect(readOffer(false, file)).toEqual(offer);
    expect(readOffer(true, file)).toBeUndefined();
    dropOffer(file);
    expect(readOffer(false, file)).toBeUndefined();
  });

  it('stands with what to do among the warnings', () => {
    expect(offerWarnings(undefined)).toEqual([]);
    expect(offerWarnings(offer)).toEqual([
      {
        urgent: false,
        text: 'a backup of dev lies on the disk /dev/sdb: dev-20260101T000000Z.devserver',
        hint: 'devserver restore --usb takes it back',
      },
    ]);
  });
});

describe('the key for a restore', () => {
  const key = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;
  const typed = (text: string) => async (): Promise<string> => text;
  const run = (given: string | undefined, ask: (() => Promise<string>) | undefined): Promise<unknown> =>
    withKeyFile(
      given,
      ask,
      async (file) => file !== undefined && [file, readFileSync(file, 'utf8'), statSync(file).mode & 0o777],
      folder,
    );

  it("that somebody types is in a file of root's alone as long as it is used", async () => {
    const [file, text, mode] = (await run(undefined, typed(`  ${key}\n`))) as [string, string, number];
    expect([text, mode]).toEqual([`${key}\n`, 0o600]);
    expect(existsSync(path.dirname(file))).toBe(false);
  });

  it('may be none, where nobody types one or nobody is there', async () => {
    expect(await run(undefined, typed(' '))).toBe(false);
    expect(await run(undefined, undefined)).toBe(false);
  });

  it('is refused when it is something else, and not repeated', async () => {
    const wrong = run(undefined, typed('AGE-SECRET-KEY-1SHORT'));
    await expect(wrong).rejects.toMatchObject({ message: 'that is no key', exitCode: 2 });
    await wrong.catch((error: Error) => expect(JSON.stringify([error, error.message])).not.toContain('SHORT'));
  });
});
