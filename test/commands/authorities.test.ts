import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import {
  authorityCopy,
  copyAuthorities,
  readAuthorities,
  wrongAuthorities,
  wrongAuthorityFiles,
} from '../../src/commands/authorities.ts';
import { answersSchema } from '../../src/plan/answers.ts';
import { madeCertificate } from '../support/authorities.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'authorities-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const put = (name: string, text: string): string => {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};
afterEach(() => void vi.useRealTimers());
const firm = madeCertificate('/CN=Firm');
const leaf = madeCertificate('/CN=example.org', { ca: false });

describe('--authority', () => {
  it('is copied into the folder of the server and read from there for the machine', () => {
    const files = [put('Firm Root.pem', `ours\n${firm.pem}`)];
    const dir = path.join(folder, 'dir');
    copyAuthorities(dir, files);
    expect(files.map(authorityCopy)).toEqual(['authorities/firm-root.crt']);
    expect(readFileSync(path.join(dir, 'authorities/firm-root.crt'), 'utf8')).toBe(firm.pem);
    expect(readAuthorities(dir, files.map(authorityCopy))).toEqual({ 'firm-root': firm.pem });
  });

  it('is refused with every reason, by file', () => {
    const [good, key, server] = [put('firm.crt', firm.pem), put('key.crt', firm.pem + firm.key), put('server.crt', leaf.pem)];
    expect(wrongAuthorities([good])).toEqual([]);
    const wrong = wrongAuthorities([good, key, server, path.join(folder, 'none.crt'), put('Firm.pem', firm.pem), '/x/1.crt']);
    expect(wrong.map(({ flag, message }) => `${path.basename(flag)}: ${message}`)).toEqual([
      expect.stringContaining('key.crt: it holds a private key'),
      expect.stringContaining('server.crt: certificate 1, CN=example.org, is no authority'),
      expect.stringContaining('none.crt: there is no such file'),
      'Firm.pem: another file gives the name firm too',
      '1.crt: its name gives no name to the authority',
    ]);
  });
});

describe('authorities of devserver.yaml', () => {
  it('are told with their places when they are none, expired ones not', () => {
    put('leaf.crt', leaf.pem);
    put('firm.crt', firm.pem);
    const old = put('old.crt', madeCertificate('/CN=Old', { days: 1 }).pem);
    vi.setSystemTime(Date.now() + 3 * 24 * 3600 * 1000);
    expect(wrongAuthorities([old]).map(({ message }) => message)).toEqual([expect.stringContaining('has expired on')]);
    const told = wrongAuthorityFiles(folder, ['leaf.crt', 'firm.crt', 'old.crt', undefined, 'none.crt', '1.crt', 'Firm.pem']);
    expect(told.map(({ path: at, message }) => [...at, message])).toEqual([
      ['authorities', 0, 'leaf.crt: certificate 1, CN=example.org, is no authority: it may not sign other certificates'],
      ['authorities', 4, 'none.crt: there is no such file'],
      ['authorities', 6, 'Firm.pem: another file gives the name firm too'],
    ]);
    expect(Object.keys(readAuthorities(folder, ['firm.crt', 'old.crt']))).toEqual(['firm', 'old']);
  });

  it('need names that give a name', () => {
    const { authorities } = answersSchema.shape;
    expect(authorities.safeParse(['authorities/firm.crt']).success).toBe(true);
    expect(authorities.safeParse(['authorities/1.crt']).success).toBe(false);
    expect(authorities.parse(undefined)).toBeUndefined();
  });
});
