import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPassword } from '../../src/kernel/client/password.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'password-'));

function fileOf(text: string): string {
  const file = path.join(folder, 'password');
  writeFileSync(file, text);
  return file;
}

describe('the file of a password', () => {
  it.each([
    ['geheim', 'geheim'],
    ['geheim\n', 'geheim'],
    ['ge heim\r\n', 'ge heim'],
    ['a\n\n', 'a\n'],
    ['ü'.repeat(2048), 'ü'.repeat(2048)],
  ])('gives what it holds, without the last line break: %j', (text, password) => {
    expect(readPassword(fileOf(text)).reveal()).toBe(password);
  });

  it('may be a pipe, written in pieces', () => {
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    spawn('sh', ['-c', 'exec > "$0"; printf ge; sleep 0.1; echo heim', pipe]);
    expect(readPassword(pipe).reveal()).toBe('geheim');
  });

  it.each([
    ['', /is empty$/],
    ['\n', /is empty$/],
    ['x'.repeat(4097), /holds more than 4096 bytes$/],
  ])('is refused before anything is sent when it holds no password: %j', (text, message) => {
    expect(() => readPassword(fileOf(text))).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: expect.stringMatching(message),
        hint: expect.stringContaining('password'),
      }),
    );
  });

  it.each(['/dev/zero', '/dev/null', folder])('is a file or a pipe: %s', (file) => {
    expect(() => readPassword(file)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: `--password-file ${file} is not a file`,
        hint: expect.stringContaining('file'),
      }),
    );
  });
});
