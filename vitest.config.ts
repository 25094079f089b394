import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// most of the time they wait for programs they started
const workers = Math.max(3, availableParallelism());

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
  test: { include: ['test/**/*.test.ts'], exclude: ['test/e2e/**'], testTimeout: 20_000, maxWorkers: workers },
});
