import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../e2e/support/cli.ts';
import { checkout } from './real.ts';

/**
 * A project's root in `folder` whose vitest answers for each of these configurations what the real one did when it was run
 * here once: its report, its exit code, nothing else. A run of vitest takes a second, copying a report a twentieth of one.
 */
export async function recordVitest(folder: string, configs: readonly string[]): Promise<string> {
  const records = path.join(folder, 'records');
  const program = path.join(folder, 'node_modules/vitest/vitest.mjs');
  for (const place of [records, path.dirname(program)]) mkdirSync(place, { recursive: true });
  const vitest = path.join(checkout, 'node_modules/vitest/vitest.mjs');
  for (const config of configs) {
    const report = path.join(records, nameOf(config));
    const args = ['run', '--config', config, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const { exitCode } = await run(process.execPath, [vitest, ...args], { env: { DEVSERVER_TEST_SIZE: 'tiny' } });
    writeFileSync(`${report}.code`, String(exitCode));
  }
  copyFileSync(path.join(import.meta.dirname, 'replay-vitest.mjs'), program);
  return folder;
}

/** As replay-vitest.mjs names it. */
const nameOf = (config: string): string => config.replaceAll('/', '_');
