import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { checkout, cli, run } from './support/cli.ts';
import { copyOf, discard } from './support/machine-copy.ts';

const image = inject('image');
let copied = '';

/** A server that is off. */
async function machine(): Promise<string> {
  copied = await copyOf(image, 'lacks');
  return copied;
}

const folder = mkdtempSync(path.join(tmpdir(), 'devserver-lacks-'));
const start = [process.execPath, path.join(checkout, 'start.mjs'), 'run'];
const build = (dir: string, cache: string): string[] => [
  ...start,
  dir,
  '--yes',
  '--base',
  'debian-13',
  '--plain',
  '--cache',
  cache,
];

describe('a machine that lacks something', () => {
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await discard(copied);
  });

  it('without network says so, with the remedy, and makes nothing', async () => {
    const dir = path.join(folder, 'offline');
    const { exitCode, stderr } = await run('unshare', ['--net', ...build(dir, path.join(folder, 'empty-cache'))]);
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(/network|mirror|reach/i);
    expect(existsSync(path.join(dir, 'out')) ? readdirSync(path.join(dir, 'out')) : []).toEqual([]);
    expect(
      readdirSync(dir)
        .sort()
        .filter((name) => name !== 'out'),
    ).toEqual(['build.log', 'devserver.yaml']);
  });

  it('with a full disk says how much is missing before it begins', async () => {
    const dir = path.join(folder, 'full');
    mkdirSync(dir);
    const script = 'mount -t tmpfs -o size=400m tmpfs "$1"; shift; exec "$@"';
    const { exitCode, stderr } = await run('unshare', [
      '--mount',
      'sh',
      '-c',
      script,
      'sh',
      dir,
      ...build(dir, path.join(folder, 'full-cache')),
    ]);
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(/GB/);
    expect(stderr).toContain(dir);
  });

  it('without enough memory does not start a machine that would be killed', async () => {
    const dir = await machine();
    const file = path.join(dir, 'devserver.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/memory: \S+/, 'memory: 900G'));
    const { exitCode, stderr } = await cli(['up', dir, '--backend', 'nspawn']);
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(/memory/);
  });

  it('with a taken port names it and the flag that chooses another', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    try {
      const dir = await machine();
      const { exitCode, stderr } = await cli(['up', dir, '--backend', 'nspawn', '--https-port', String(port)]);
      expect(exitCode).toBe(5);
      expect(stderr).toContain(String(port));
    } finally {
      server.close();
    }
  });

  it('refuses every command on a folder without devserver.yaml, with exit code 2', async () => {
    for (const command of ['build', 'up', 'down', 'status', 'logs']) {
      const { exitCode, stderr } = await cli([command, path.join(folder, 'nothing')]);
      expect({ command, exitCode }).toEqual({ command, exitCode: 2 });
      expect(stderr).toContain('devserver.yaml');
    }
  });
});
