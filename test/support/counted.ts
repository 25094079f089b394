import { appendFileSync } from 'node:fs';
import { expect } from 'vitest';

/** Keeps what a test counted while it ran, such as cells or kill points, for the record of a full run (test/results). */
export function counted(counts: Readonly<Record<string, number>>): void {
  const file = process.env.DEVSERVER_COUNTS;
  const { testPath, currentTestName } = expect.getState();
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ file: testPath, test: currentTestName, counts })}\n`);
}
