import { defineConfig } from 'vitest/config';

// Vitest only loads and runs the TypeScript: a bench measures and writes, it judges nothing but that it could measure.
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['bench/*.bench.ts'],
    fileParallelism: false,
    testTimeout: 4 * 3600_000,
    hookTimeout: 1_800_000,
  },
});
