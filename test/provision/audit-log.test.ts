import {
  chownSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditEntry, clipped } from '../../provision/audit/entry.ts';
import { addLine } from '../../provision/audit/log.ts';

const now = new Date('2026-01-31T23:59:59.500Z');
const entry = { who: 'ann', what: 'user add', to: 'bob', result: 'done' };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'audit-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const textOf = (month: string): string => readFileSync(path.join(folder, `${month}.log`), 'utf8');

describe('the audit log', () => {
  it('gets a line each, with a time of its own, in the file of the month', () => {
    addLine(folder, entry, now);
    addLine(folder, { ...entry, job: '20260131t235959500-0a1b2c3d' }, now);
    addLine(folder, entry, new Date(now.getTime() + 1000));
    expect(readdirSync(folder).sort()).toEqual(['2026-01.log', '2026-02.log']);
    expect(textOf('2026-01')).toBe(
      '{"at":"2026-01-31T23:59:59.500Z","who":"ann","what":"user add","to":"bob","result":"done"}\n' +
        '{"at":"2026-01-31T23:59:59.500Z","who":"ann","what":"user add","to":"bob","job":"20260131t235959500-0a1b2c3d","result":"done"}\n',
    );
    expect(statSync(path.join(folder, '2026-01.log')).mode & 0o777).toBe(0o640);
  });

  it('takes no second line out of a first, nothing a terminal acts upon, and gives back what was told', () => {
    const evil = '\n{"at":"forged"}\r\u001b[2J\u009b2J\u2028\u202e\u007f"\\ \ud800 ü';
    addLine(folder, { ...entry, who: evil, result: evil }, now);
    const text = textOf('2026-01');
    expect(text).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(text)).toMatchObject({ who: evil, result: evil });
  });

  it('follows no link that waits in its place, and adds to no file that has another name', () => {
    const other = path.join(folder, 'other');
    writeFileSync(other, 'kept\n');
    symlinkSync(other, path.join(folder, '2026-01.log'));
    expect(() => addLine(folder, entry, now)).toThrow(/ELOOP/);
    rmSync(path.join(folder, '2026-01.log'));
    linkSync(other, path.join(folder, '2026-01.log'));
    expect(() => addLine(folder, entry, now)).toThrow(/another name/);
    expect(readFileSync(other, 'utf8')).toBe('kept\n');
  });

  it('refuses what is no entry, a time of somebody else, and parts that are too long', () => {
    const wrong: object[] = [
      { ...entry, at: '2020-01-01T00:00:00Z' },
      { ...entry, password: 'x' },
      { who: 'ann' },
      { ...entry, result: 'x'.repeat(401) },
    ];
    for (const it of wrong) expect(() => addLine(folder, it as typeof entry, now)).toThrow();
    expect(readdirSync(folder)).toEqual([]);
    const long = {
      who: 'w'.repeat(1000),
      what: 'x'.repeat(1000),
      to: 'y'.repeat(1000),
      job: 'z'.repeat(1000),
      result: 'r'.repeat(9999),
    };
    const cut = clipped(long);
    expect(auditEntry.parse(cut)).toEqual(cut);
    addLine(folder, cut, now);
    expect(textOf('2026-01').length).toBeLessThan(1024);
  });

  it('leaves a line that a crash cut short, and begins another', () => {
    writeFileSync(path.join(folder, '2026-01.log'), '{"at":"2026-01-01T00:00:00.000Z","wh');
    addLine(folder, entry, now);
    const lines = textOf('2026-01').split('\n');
    expect(lines).toEqual(['{"at":"2026-01-01T00:00:00.000Z","wh', expect.stringContaining('"user add"'), '']);
  });

  it('belongs to who owns its folder, also when root begins a file', () => {
    const { uid, gid } = process.getuid?.() === 0 ? { uid: 704, gid: 704 } : statSync(folder);
    chownSync(folder, uid, gid);
    addLine(folder, entry, now);
    expect(statSync(path.join(folder, '2026-01.log'))).toMatchObject({ uid, gid });
  });
});
