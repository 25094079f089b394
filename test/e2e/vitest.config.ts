import { defineConfig } from 'vitest/config';
import { apart } from './apart.ts';

// One appliance is built and booted for all of it, so files run one after the other.
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/e2e/**/*.e2e.ts'],
    exclude: apart.map((name) => `test/e2e/${name}.e2e.ts`),
    globalSetup: ['test/support/temporary-folder.ts', 'test/support/bundles.ts', 'test/e2e/appliance.ts'],
    fileParallelism: false,
    testTimeout: 1_200_000,
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 1_800_000,
    bail: 0,
  },
});
