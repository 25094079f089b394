import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { keptPrograms } from '../../src/image/kept-programs.ts';
import { bundlePrograms } from '../../src/image/programs.ts';
import type { Programs } from '../../src/plan/generated.ts';
import { checkout, realCatalogue } from '../support/real.ts';

const cache = mkdtempSync(path.join(tmpdir(), 'kept-programs-'));
const folder = path.join(cache, 'programs');
const components = [...realCatalogue().components.values()].filter(({ data }) => ['core', 'git'].includes(data.name));
const digests = (programs: Programs): Record<string, string> =>
  Object.fromEntries([...programs].map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')]));

it('bundles are kept, are the same as fresh ones, and are made anew when they are damaged or a source is another', async () => {
  const fresh = digests(await bundlePrograms(checkout, components));
  expect(digests(await keptPrograms(checkout, components, cache))).toEqual(fresh);
  const [kept = ''] = readdirSync(folder);
  const before = readFileSync(path.join(folder, kept));
  expect(digests(await keptPrograms(checkout, components, cache))).toEqual(fresh);
  expect(readdirSync(folder)).toEqual([kept]);

  const damaged = Buffer.from(before);
  damaged[1000] = (damaged[1000] ?? 0) ^ 1;
  writeFileSync(path.join(folder, kept), damaged);
  expect(digests(await keptPrograms(checkout, components, cache))).toEqual(fresh);
  expect(readFileSync(path.join(folder, kept)).equals(before)).toBe(true);

  for (let old = 0; old < 9; old += 1) writeFileSync(path.join(folder, `old-${old}`), '');
  rmSync(path.join(folder, kept));
  await keptPrograms(checkout, components, cache);
  expect(readdirSync(folder)).toHaveLength(8);
  expect(readdirSync(folder)).toContain(kept);

  // another driver of the same component, in a checkout that is the same otherwise
  const copy = mkdtempSync(path.join(checkout, 'build', 'kept-programs-'));
  try {
    for (const name of ['src', 'provision', 'templates', 'package-lock.json', 'package.json', 'tsconfig.json'])
      cpSync(path.join(checkout, name), path.join(copy, name), { recursive: true });
    const moved = components.map((it) => ({ ...it, folder: path.join(copy, 'stacks/components', it.data.name) }));
    cpSync(path.join(checkout, 'stacks'), path.join(copy, 'stacks'), { recursive: true });
    const first = await keptPrograms(copy, moved, cache);
    const driver = path.join(copy, 'stacks/components/git/driver.ts');
    writeFileSync(driver, `${readFileSync(driver, 'utf8')}\nconsole.log('another');\n`);
    const second = await keptPrograms(copy, moved, cache);
    expect(Object.keys(digests(second)).filter((name) => digests(first)[name] !== digests(second)[name])).toEqual([
      'driver-git.mjs',
    ]);
  } finally {
    rmSync(copy, { recursive: true });
  }
});

it('no cache is made for them', async () => {
  const none = path.join(cache, 'none');
  await keptPrograms(checkout, components, none);
  expect(existsSync(none)).toBe(false);
  // nor do drivers of others count as ours
  const elsewhere = path.join(cache, 'elsewhere/git');
  mkdirSync(elsewhere, { recursive: true });
  const others = components.map((it) => (it.data.name === 'git' ? { ...it, folder: elsewhere } : it));
  const before = readdirSync(folder);
  await keptPrograms(checkout, others, cache);
  expect(readdirSync(folder)).toEqual(before);
});
