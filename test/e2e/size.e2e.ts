import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { applianceToBuild } from './support/built.ts';
import { checkout, mustCli } from './support/cli.ts';

const stack = 'default, jdk-maven, nodejs-build on debian-13';

it('the compressed image is no more than 2 % larger than its budget', () => {
  const budget = JSON.parse(readFileSync(path.join(checkout, 'bench/budget.json'), 'utf8')) as Record<string, number>;
  const { size } = statSync(path.join(inject('appliance').dir, 'out/system.qcow2'));
  expect(size).toBeLessThanOrEqual((budget[stack] ?? 0) * 1.02);
  expect(size, 'the budget is not of this stack').toBeGreaterThan((budget[stack] ?? 0) * 0.8);
});

it('the image is as large as the wizard says, to a tenth', async () => {
  const [, ...answers] = applianceToBuild(checkout);
  const fresh = path.join(checkout, 'build/e2e/estimated');
  const lines = (await mustCli(['create', fresh, ...answers, '--dry-run', '--json'])).trim().split('\n');
  const { plan } = JSON.parse(lines.at(-1) ?? '') as { plan: { estimate: { image: number } } };
  const { size } = statSync(path.join(inject('appliance').dir, 'out/system.qcow2'));
  expect(Math.abs((plan.estimate.image * 1024 ** 2) / size - 1)).toBeLessThan(0.1);
});
