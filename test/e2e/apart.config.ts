import { defineConfig } from 'vitest/config';
import { apart } from './apart.ts';

// Machines and builds of their own, one file after the other; npm test runs them beside the tests of the shared appliance.
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: apart.map((name) => `test/e2e/${name}.e2e.ts`),
    globalSetup: ['test/support/temporary-folder.ts', 'test/support/bundles.ts', 'test/e2e/image.ts'],
    fileParallelism: false,
    testTimeout: 1_200_000,
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 1_800_000,
  },
});
