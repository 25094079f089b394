import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addressesOf } from '../../src/image/debs.ts';
import { DataError } from '../../src/kernel/errors.ts';
import { archivesOf } from '../../src/lock/archives.ts';
import { changesBetween, linesOf } from '../../src/lock/changes.ts';
import { lockText, readLock, writeLock } from '../../src/lock/lock-file.ts';
import { emptyLock, lockedPackage } from '../support/locks.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const lock = {
  ...emptyLock,
  packages: [lockedPackage('adduser', '3.152'), lockedPackage('login', '1:4.17~rc1+b1')],
  artifacts: [{ name: 'a.war', of: 'hudson', sha256: 'a'.repeat(64), bytes: 7 }],
};

describe('devserver.lock', () => {
  it('is read as it was written, a package a line', () => {
    expect(readLock(dir)).toBeUndefined();
    writeLock(dir, lock);
    expect(readLock(dir)).toEqual(lock);
    const lines = readFileSync(path.join(dir, 'devserver.lock'), 'utf8').split('\n');
    expect(lines.filter((line) => line.startsWith('    {"name":'))).toHaveLength(3);
    expect(lockText(emptyLock)).toContain('"packages": []');
  });

  it('says where it is wrong', () => {
    const faults = (text: string): string[] => {
      writeFileSync(path.join(dir, 'devserver.lock'), text);
      try {
        readLock(dir);
      } catch (error) {
        if (error instanceof DataError) return error.faults.map(({ line, message }) => `${line}: ${message}`);
        throw error;
      }
      return [];
    };
    const text = lockText(lock);
    expect(faults(text.replace('"adduser"', '"add user"'))).toEqual(['10: packages.0.name: must be the name of a package']);
    expect(faults(text.replace('pool/adduser', '../adduser'))).toEqual(['10: packages.0.path: must be a path below the archive']);
    expect(faults(text.replace('"version": 1', '"version": 2'))).toHaveLength(1);
    expect(faults(text.slice(0, 300))).not.toEqual([]);
  });
});

describe('two locks', () => {
  it('are told apart by package, what is for security first', () => {
    const before = [lockedPackage('a', '1'), lockedPackage('b', '1'), lockedPackage('c', '1')];
    const now = [lockedPackage('a', '1'), lockedPackage('b', '2'), lockedPackage('d', '1'), lockedPackage('c', '1', 'rebuilt')];
    const changes = changesBetween(before, now);
    expect(changes.map(({ name, from, to }) => [name, from, to])).toEqual([
      ['b', '1', '2'],
      ['c', '1', '1'],
      ['d', undefined, '1'],
    ]);
    expect(changesBetween(now, before).find(({ name }) => name === 'd')).toMatchObject({ from: '1' });
    expect(changesBetween(now, now)).toEqual([]);
    const told = changes.map((it) => ({ ...it, security: it.name === 'd', ...(it.name === 'b' ? { isTool: true } : {}) }));
    expect(linesOf(told)).toEqual(['security  d 1, new', '          c 1 -> 1', 'tool      b 1 -> 2']);
  });
});

describe('a locked package', () => {
  it('is looked for in its archive, and then in the snapshot of that day', () => {
    const it = { ...lockedPackage('libc6', '2.41+b1'), path: 'pool/main/g/glibc/libc6_2.41+b1_amd64.deb' };
    const snapshot = 'https://snapshot.example.org/archive/{archive}/{time}';
    expect(addressesOf(it, emptyLock, snapshot)).toEqual([
      'http://archive.invalid/debian/pool/main/g/glibc/libc6_2.41%2Bb1_amd64.deb',
      'https://snapshot.example.org/archive/debian/20260102T030405Z/pool/main/g/glibc/libc6_2.41%2Bb1_amd64.deb',
      'https://snapshot.example.org/archive/debian/20260103T030405Z/pool/main/g/glibc/libc6_2.41%2Bb1_amd64.deb',
    ]);
    expect(addressesOf(it, emptyLock, undefined)).toHaveLength(1);
  });

  it('comes from an archive that has a name, security updates first', () => {
    const sources = {
      ...{
        suite: 'trixie',
        architecture: 'amd64',
        keyring: { file: '/k', package: 'k' },
        packageComponents: ['main'],
        packages: [],
      },
      extraSources: [
        { name: 'sid', suite: 'sid', packageComponents: ['main'], options: {}, packages: ['x'] },
        { name: 'own', url: 'https://o/deb', suite: 'binary/', packageComponents: [], options: {}, packages: ['y'] },
      ],
    };
    const own = [
      { url: 'http://m/debian/', suite: 'trixie' },
      { url: 'http://m/debian', suite: 'trixie-updates' },
      { url: 'http://m/debian-security', suite: 'trixie-security' },
    ];
    expect(archivesOf(sources, own).map(({ name, at, suite }) => [name, at, suite])).toEqual([
      ['trixie-security', 'http://m/debian-security', 'trixie-security'],
      ['main', 'http://m/debian', 'trixie'],
      ['main', 'http://m/debian', 'trixie-updates'],
      ['main', 'http://m/debian', 'sid'],
      ['source-own', 'https://o/deb', 'binary/'],
    ]);
    expect(archivesOf(sources, own, 'tools')[0]?.name).toBe('tools-trixie-security');
  });
});
