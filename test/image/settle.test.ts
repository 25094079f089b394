import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { datedStore } from '../../src/image/key-store.ts';
import { settleLayer } from '../../src/image/settle.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'key-store-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const password = ['-storepass', 'changeit', '-storetype', 'JKS'];
const keytool = (...args: string[]): string =>
  execFileSync('keytool', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** A store as Java makes one, with two certificates. */
function made(name: string): string {
  const store = path.join(dir, name);
  for (const alias of ['one', 'two']) {
    const certificate = path.join(dir, `${alias}.crt`);
    const subject = ['-subj', `/CN=${alias}`, '-days', '9', '-keyout', '/dev/null', '-nodes'];
    if (name === 'first')
      execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...subject, '-out', certificate], { stdio: 'ignore' });
    keytool('-importcert', '-noprompt', '-alias', alias, '-file', certificate, '-keystore', store, ...password);
  }
  return store;
}

describe("Java's key store", () => {
  it('has one date, and Java takes it as its own', () => {
    const [first, second] = [readFileSync(made('first')), readFileSync(made('second'))];
    expect(first.equals(second), 'made at two moments').toBe(false);
    const date = Date.UTC(2026, 0, 1, 12);
    expect(datedStore(first, date).equals(datedStore(second, date))).toBe(true);
    const root = path.join(dir, 'root');
    mkdirSync(path.join(root, 'etc/ssl/certs/java'), { recursive: true });
    execFileSync('cp', [path.join(dir, 'first'), path.join(root, 'etc/ssl/certs/java/cacerts')]);
    const archive = path.join(dir, 'root.tar');
    execFileSync('tar', ['--create', `--file=${archive}`, `--directory=${root}`, '.']);
    return settleLayer(archive).then(() => {
      execFileSync('tar', ['--extract', `--file=${archive}`, `--directory=${root}`]);
      const listed = keytool(
        '-J-Duser.timezone=UTC',
        '-J-Duser.language=en',
        '-list',
        '-keystore',
        path.join(root, 'etc/ssl/certs/java/cacerts'),
        ...password,
      );
      expect(listed.match(/^(one|two), Jan 1, 2026, trustedCertEntry/gm)).toHaveLength(2);
    });
  });

  it.skipIf(process.getuid?.() !== 0)('is all that changes, but for whose two folders of apt are', async () => {
    const archiveOf = (owner: string): string => {
      const root = path.join(dir, `root-${owner}`);
      for (const folder of ['var/cache/apt/archives/partial', 'var/lib/apt/lists/partial', 'var/lib/other'])
        mkdirSync(path.join(root, folder), { recursive: true });
      execFileSync('chown', ['-R', '7:7', path.join(root, 'var/lib/other')]);
      execFileSync('chown', [
        owner,
        path.join(root, 'var/cache/apt/archives/partial'),
        path.join(root, 'var/lib/apt/lists/partial'),
      ]);
      const archive = path.join(dir, `${owner}.tar`);
      const same = ['--sort=name', '--mtime=@0', '--numeric-owner'];
      execFileSync('tar', ['--create', ...same, `--file=${archive}`, `--directory=${root}`, '.']);
      return archive;
    };
    const [roots, apts] = [archiveOf('0:0'), archiveOf('42:0')];
    const before = readFileSync(roots);
    expect(readFileSync(apts).equals(before)).toBe(false);
    for (const archive of [roots, apts]) await settleLayer(archive);
    expect(readFileSync(roots).equals(before)).toBe(true);
    expect(readFileSync(apts).equals(before)).toBe(true);
  });

  it('that is none, or is cut short, is not touched', () => {
    expect(() => datedStore(Buffer.alloc(64), 0)).toThrow('no key store of the form JKS');
    const empty = Buffer.concat([Buffer.from('feedfeed0000000200000000', 'hex'), Buffer.alloc(21)]);
    expect(() => datedStore(empty, 0)).toThrow('ends elsewhere');
  });
});
