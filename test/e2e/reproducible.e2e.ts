import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { usersCache } from './support/built.ts';
import { must, mustCli } from './support/cli.ts';

/** The whole stack from one lock, twice: minutes, so the full run has it. In CI noble.e2e.ts does the same with a small one. */
const appliance = inject('appliance');

if (process.env.DEVSERVER_TEST_SIZE === 'full')
  it('two builds of one lock are equal to the bit', { timeout: 1_800_000 }, async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'reproducible-'));
    try {
      const [server, cache] = [path.join(dir, 'server'), path.join(dir, 'cache')];
      for (const folder of [server, cache]) mkdirSync(folder);
      for (const name of ['devserver.yaml', 'devserver.lock'])
        copyFileSync(path.join(appliance.dir, name), path.join(server, name));
      // what was fetched, and nothing that was made of it
      for (const kind of ['deb', 'download'])
        if (existsSync(path.join(usersCache, kind)))
          cpSync(path.join(usersCache, kind), path.join(cache, kind), { recursive: true });
      await mustCli(['build', server, '--frozen', '--plain', '--cache', cache]);
      const idOf = (folder: string): unknown =>
        (JSON.parse(readFileSync(path.join(folder, 'out/image.json'), 'utf8')) as { id: unknown }).id;
      expect(idOf(server)).toBe(idOf(appliance.dir));
      const sums = await must('sha256sum', [path.join(server, 'out/system.qcow2'), path.join(appliance.dir, 'out/system.qcow2')]);
      expect(
        new Set(
          sums
            .trim()
            .split('\n')
            .map((line) => line.split(' ')[0]),
        ).size,
      ).toBe(1);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
else
  it('a lock stands beside what was built', () => {
    expect(existsSync(path.join(appliance.dir, 'devserver.lock'))).toBe(true);
  });
