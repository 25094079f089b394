import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { defineConfig } from 'vitest/config';

// most of the time they wait for programs they started
const workers = Math.max(6, availableParallelism());

const files = readdirSync(path.join(import.meta.dirname, 'test'), { recursive: true, encoding: 'utf8' })
  .map((file) => path.join('test', file))
  .filter((file) => file.endsWith('.test.ts'));

/** Loading the same modules again for every file takes longer than most files' tests: these have to, since they replace some, or change the process. */
const changesItsProcess = /\bvi\.(?:mock|hoisted)\(|\bprocess\.(?:chdir\(|exitCode\b)/;
const apart = files.filter((file) => changesItsProcess.test(readFileSync(path.join(import.meta.dirname, file), 'utf8')));

export default defineConfig({
  plugins: [
    {
      // as esbuild's text loader does for the bundles
      name: 'hbs-as-text',
      enforce: 'pre',
      transform: (text: string, id: string) =>
        id.endsWith('.hbs') ? { code: `export default ${JSON.stringify(text)}`, map: null } : undefined,
    },
  ],
  test: {
    // the slowest take five seconds on a quiet machine; others are neither quiet nor as quick
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: workers,
    globalSetup: ['test/support/temporary-folder.ts', 'test/support/bundles.ts'],
    projects: [
      { extends: true, test: { name: 'apart', include: apart } },
      { extends: true, test: { name: 'together', include: files.filter((file) => !apart.includes(file)), isolate: false } },
    ],
  },
});
