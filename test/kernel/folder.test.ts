import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyAuthorities } from '../../src/commands/authorities.ts';
import { openCache } from '../../src/image/cache.ts';
import { openLog } from '../../src/image/log.ts';
import { requireSpace } from '../../src/image/space.ts';
import { withWorkFolder } from '../../src/image/work-folder.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { makeFolder, requireWritable } from '../../src/kernel/folder.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { makeMachineFolder } from '../../src/machine/instance.ts';

const fresh = (): string => mkdtempSync(path.join(tmpdir(), 'folder-'));
const refusal = (message: unknown) => expect.objectContaining({ message, exitCode: 2, hint: 'name another folder' });

describe('makeFolder', () => {
  it('makes a folder and those above it, and leaves one that is there', () => {
    const dir = path.join(fresh(), 'a/b/c');
    makeFolder(dir, 0o700);
    for (const made of [dir, path.dirname(dir)]) expect(statSync(made).mode & 0o777).toBe(0o700);
    makeFolder(dir, 0o755);
    makeFolder(`${dir}/./`);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    const link = path.join(fresh(), 'link');
    symlinkSync(dir, link);
    makeFolder(path.join(link, 'd'));
    expect(existsSync(path.join(dir, 'd'))).toBe(true);
  });

  it('tells what stands in the way, and makes nothing', () => {
    const dir = fresh();
    const [file, dangling] = [path.join(dir, 'file'), path.join(dir, 'dangling')];
    writeFileSync(file, '');
    symlinkSync(path.join(dir, 'nothing'), dangling);
    for (const wanted of [file, path.join(file, 'a/b')])
      expect(() => makeFolder(wanted)).toThrow(refusal(`${wanted}: ${file} is not a folder`));
    for (const wanted of [dangling, path.join(dangling, 'a')])
      expect(() => makeFolder(wanted)).toThrow(refusal(`${wanted}: ${dangling} is not a folder`));
    const long = path.join(dir, 'a'.repeat(300));
    expect(() => makeFolder(long)).toThrow(refusal(expect.stringContaining('its name is too long')));
    expect(existsSync(path.join(dir, 'nothing'))).toBe(false);
  });

  it.each([
    ['/proc/a/b', '/proc is no place for files'],
    ['/sys/a', '/sys is no place for files'],
  ])('refuses %s, where Node.js would try for ever', (wanted, why) => {
    expect(() => makeFolder(wanted)).toThrow(refusal(`${wanted}: ${why}`));
    expect(() => requireWritable(wanted, '--cache')).toThrow(refusal(`--cache ${wanted}: ${why}`));
  });

  it('is what makes every folder a user names', async () => {
    const wanted = '/proc/a';
    const refused = refusal(expect.stringContaining('/proc is no place for files'));
    await expect(openCache(wanted)).rejects.toEqual(refused);
    await expect(withWorkFolder(wanted, async () => undefined)).rejects.toEqual(refused);
    await expect(requireSpace([{ folder: wanted, bytes: 1 }])).rejects.toEqual(refused);
    expect(() => openLog('/proc/a/build.log', realSystem(), () => {})).toThrow(refused);
    expect(() => makeMachineFolder(wanted)).toThrow(refused);
    expect(() => copyAuthorities(wanted, ['/x/firm.crt'])).toThrow(refused);
  });
});

// without root nothing can be mounted
if (process.getuid?.() === 0)
  describe('a file system', () => {
    const mounted = (options: string, work: (dir: string) => void): void => {
      const dir = fresh();
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir]);
      try {
        work(dir);
      } finally {
        execFileSync('umount', ['--lazy', dir]);
      }
    };

    it('that is read-only is told as that', () => {
      mounted('ro', (dir) => {
        const wanted = path.join(dir, 'a/b');
        expect(() => makeFolder(wanted)).toThrow(
          refusal(`${wanted}: ${dir} may not be written by this account, or is read-only`),
        );
      });
    });

    it('that is full stays what it is, for whoever tells of full disks', () => {
      mounted('nr_inodes=2', (dir) => {
        mkdirSync(path.join(dir, 'a'));
        expect(() => makeFolder(path.join(dir, 'b/c'))).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
        expect(() => makeFolder(path.join(dir, 'b/c'))).not.toThrow(UserError);
      });
    });
  });
