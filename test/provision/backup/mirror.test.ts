import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mirror } from '../../../provision/backup/mirror.ts';
import { must } from '../../e2e/support/cli.ts';
import { randomFrom } from '../../support/random.ts';

let dir = '';
let copied: number[] = [];
let leftOut: string[] = [];
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'mirror-'));
  copied = [];
  leftOut = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const from = (...names: string[]): string => path.join(dir, 'from', ...names);
const to = (...names: string[]): string => path.join(dir, 'to', ...names);
/** `later`: milliseconds by which the clock is ahead, so that nothing is so new that it may change unseen. */
async function run(later = 10_000): Promise<void> {
  await mirror(from(), to(), {
    now: () => new Date(Date.now() + later),
    requireRoom: (bytes) => copied.push(bytes),
    requireGoingOn: () => {},
    onLeftOut: (place) => leftOut.push(place),
  });
}

/** What counts of a tree, as text. */
function contentOf(place: string | Buffer, prefix = ''): string[] {
  return readdirSync(place, { encoding: 'buffer' })
    .flatMap((name) => {
      const at = Buffer.concat([Buffer.from(place), Buffer.from('/'), name]);
      const named = `${prefix}${name.toString('latin1')}`;
      const stat = lstatSync(at);
      if (stat.isDirectory()) return [`${named} folder`, ...contentOf(at, `${named}/`)];
      if (stat.isSymbolicLink()) return [`${named} -> ${readlinkSync(at)}`];
      const content = readFileSync(at).toString('hex');
      // nobody else reads copies between two runs
      if (String(place).startsWith(to())) utimesSync(at, stat.atimeMs / 1000, stat.mtimeMs / 1000);
      return [`${named} ${stat.mode & 0o100} ${Math.round(stat.mtimeMs)} ${content}`];
    })
    .sort();
}

describe('a mirror', () => {
  it('copies what is there, and then only what changed', async () => {
    mkdirSync(from('a/b'), { recursive: true });
    for (const name of ['a/one', 'a/b/two', 'three']) writeFileSync(from(name), name);
    chmodSync(from('three'), 0o755);
    symlinkSync('nowhere', from('link'));
    await run();
    expect(contentOf(to())).toEqual(contentOf(from()));
    expect(copied).toHaveLength(3);
    copied = [];
    await run();
    expect(copied).toEqual([]);
    appendFileSync(from('a/one'), 'more');
    // of the same length, and with the time it had: only its ctime tells
    const { atime, mtime } = lstatSync(from('three'));
    writeFileSync(from('three'), 'THREE');
    utimesSync(from('three'), atime, mtime);
    await run();
    expect(contentOf(to())).toEqual(contentOf(from()));
    expect(copied).toHaveLength(2);
  });

  it('copies again what changed a moment before it was copied', async () => {
    mkdirSync(from());
    writeFileSync(from('new'), 'x');
    await run(0);
    await run();
    expect(copied).toEqual([1, 1]);
  });

  it('takes away what went, and what became another kind of thing', async () => {
    mkdirSync(from('folder'), { recursive: true });
    for (const name of ['folder/file', 'file', 'link', 'gone']) writeFileSync(from(name), name);
    await run();
    rmSync(from('folder'), { recursive: true });
    writeFileSync(from('folder'), 'a file now');
    for (const name of ['file', 'link', 'gone']) rmSync(from(name));
    mkdirSync(from('file'));
    symlinkSync('/etc/passwd', from('link'));
    await run();
    expect(contentOf(to())).toEqual(contentOf(from()));
    rmSync(from(), { recursive: true });
    await run();
    expect(existsSync(to())).toBe(false);
  });

  it('takes names as bytes, and what is neither file nor folder as a link', async () => {
    mkdirSync(from());
    writeFileSync(Buffer.concat([Buffer.from(from()), Buffer.from([0x2f, 0xff, 0xfe, 0x0a])]), 'bytes');
    await must('mkfifo', [from('pipe')]);
    await run();
    expect(contentOf(to())).toEqual(['pipe -> neither file nor folder', expect.stringMatching(/^ÿþ\n 0 /)]);
  });

  it('never writes through a link that stands where a file was', async () => {
    mkdirSync(from());
    writeFileSync(from('file'), 'content');
    await run();
    writeFileSync(path.join(dir, 'other'), 'kept');
    rmSync(to('file'));
    symlinkSync(path.join(dir, 'other'), to('file'));
    await run();
    expect(readFileSync(path.join(dir, 'other'), 'utf8')).toBe('kept');
    expect(lstatSync(to('file')).isFile()).toBe(true);
  });

  it('leaves out what has a path too long for its copy, and goes on', async () => {
    // as deep as paths can be, made step by step
    const deep =
      "import os, sys; os.chdir(sys.argv[1]); n = 'n' * 200\nfor _ in range(25): os.mkdir(n); os.chdir(n)\nopen('file', 'w').close()";
    mkdirSync(from());
    await must('python3', ['-c', deep, from()]);
    writeFileSync(from('z'), 'z');
    await run();
    expect(leftOut).toHaveLength(1);
    expect(readFileSync(to('z'), 'utf8')).toBe('z');
    await must('rm', ['-rf', from()]);
  });

  it('ends where it is told', async () => {
    mkdirSync(from());
    writeFileSync(from('file'), 'x');
    const ended = mirror(from(), to(), {
      ...{ now: () => new Date(), requireRoom: () => {}, onLeftOut: () => {} },
      requireGoingOn: () => {
        throw new Error('interrupted');
      },
    });
    await expect(ended).rejects.toThrow('interrupted');
  });

  it('asks before it copies, and stops where it is told', async () => {
    mkdirSync(from());
    writeFileSync(from('large'), 'xxxx');
    const refuse = mirror(from(), to(), {
      now: () => new Date(),
      requireRoom: (bytes) => {
        throw new Error(`no room for ${bytes}`);
      },
      requireGoingOn: () => {},
      onLeftOut: () => {},
    });
    await expect(refuse).rejects.toThrow('no room for 4');
    expect(existsSync(to('large'))).toBe(false);
  });

  it('is the same after any changes', async () => {
    const seed = process.env.DEVSERVER_SEED ?? String(Date.now());
    const random = randomFrom(seed);
    const pick = (most: number): number => Math.floor(random() * most);
    mkdirSync(from());
    for (let round = 0; round < 30; round += 1) {
      for (let step = 0; step < 10; step += 1) {
        const names = ['', ...readdirSync(from(), { recursive: true, encoding: 'utf8' })];
        const place = from(names[pick(names.length)] ?? '');
        const stat = lstatSync(place);
        const name = `n${pick(6)}`;
        if (stat.isDirectory()) {
          const child = path.join(place, name);
          if (existsSync(child) && pick(3) === 0) rmSync(child, { recursive: true });
          else if (!existsSync(child)) pick(3) === 0 ? mkdirSync(child) : writeFileSync(child, String(pick(1e6)));
        } else if (pick(3) === 0) renameSync(place, `${place}x`.slice(0, 200));
        else if (pick(2) === 0) truncateSync(place, pick(3));
        else writeFileSync(place, String(pick(1e6)));
      }
      await run(0);
      expect(contentOf(to()), `seed ${seed}, round ${round}`).toEqual(contentOf(from()));
    }
  });
});
