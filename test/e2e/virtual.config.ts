import { defineConfig } from 'vitest/config';

// The image in QEMU; npm test runs it beside the other e2e tests.
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/e2e/qemu.e2e.ts'],
    globalSetup: ['test/e2e/image.ts'],
    testTimeout: 120_000,
    hookTimeout: 1_800_000,
  },
});
