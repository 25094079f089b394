// stands at node_modules/vitest/vitest.mjs of the root that recorded-vitest.ts makes
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const config = process.argv[process.argv.indexOf('--config') + 1] ?? '';
const report = path.resolve(import.meta.dirname, '../../records', config.replaceAll('/', '_'));
const [, to = ''] = /^--outputFile\.json=(.*)$/.exec(process.argv.find((it) => it.startsWith('--outputFile.json=')) ?? '') ?? [];
if (process.env.DEVSERVER_TEST_SIZE !== 'tiny') throw new Error('the size of the tests did not arrive');
if (existsSync(report)) copyFileSync(report, to);
process.exitCode = Number(readFileSync(`${report}.code`, 'utf8'));
