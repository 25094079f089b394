import { defineConfig } from 'vitest/config';

// One appliance is built and booted for all of it, so files run one after the other.
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/e2e/**/*.e2e.ts'],
    exclude: ['test/e2e/qemu.e2e.ts'],
    globalSetup: ['test/e2e/appliance.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 1_800_000,
    bail: 0,
  },
});
