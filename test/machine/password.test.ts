import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { keepAdminPassword, makePassword } from '../../src/machine/password.ts';

it('makes 20 letters and digits with at least one digit', () => {
  for (let round = 0; round < 500; round += 1) {
    expect(makePassword().reveal()).toMatch(/^(?=.*[0-9])[A-Za-z0-9]{20}$/);
  }
});

it('draws again when no digit came', () => {
  const draws = [...Array<number>(20).fill(0), ...Array<number>(20).fill(61)];
  draws[25] = 1;
  expect(makePassword(() => draws.shift() ?? 0).reveal()).toBe('99999B99999999999999');
});

it('does not show when printed', () => {
  expect(`${makePassword()} ${JSON.stringify(makePassword())}`).toBe('[secret] "[secret]"');
});

it('is made once and kept for its owner alone', async () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'password-')), 'admin-password');
  await keepAdminPassword(file);
  const first = readFileSync(file, 'utf8');
  await keepAdminPassword(file);
  expect(readFileSync(file, 'utf8')).toBe(first);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
