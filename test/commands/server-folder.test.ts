import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAnswers } from '../../src/commands/answers-file.ts';
import { requireFolder, requireServer } from '../../src/commands/server-folder.ts';

const isRoot = process.getuid?.() === 0;

/** As somebody whom root's files are closed to; `work` may not wait, for everything in this process is that somebody. */
function asNobody<T>(work: () => T): T {
  if (isRoot) process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

function server(): { dir: string; file: string } {
  const dir = mkdtempSync(path.join(tmpdir(), 'folder-'));
  const file = path.join(dir, 'devserver.yaml');
  writeFileSync(file, '');
  return { dir, file };
}

describe('a folder that can not be one of a server is told with exit code 2', () => {
  const { file } = server();
  const long = path.join(tmpdir(), 'x'.repeat(300));
  it.each([
    [file, `${file} is not a folder`],
    [path.join(file, 'below'), 'a part of its path is a file, not a folder'],
    [long, 'its name is too long'],
  ])('%.40s…', (dir, message) => {
    const told = expect.objectContaining({ exitCode: 2, message: expect.stringContaining(message), hint: expect.any(String) });
    for (const check of [requireServer, requireFolder, readAnswers]) expect(() => check(dir)).toThrow(told);
  });

  it('where this account may not look, or not read', () => {
    const { dir, file } = server();
    const told = (of: string) =>
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining(`${of}: permission is denied`) });
    chmodSync(file, 0o000);
    chmodSync(dir, 0o755);
    expect(() => asNobody(() => readAnswers(dir))).toThrow(told(file));
    chmodSync(dir, 0o000);
    for (const check of [requireServer, requireFolder, readAnswers]) expect(() => asNobody(() => check(dir))).toThrow(told(file));
    chmodSync(dir, 0o700);
  });
});
