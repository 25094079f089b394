import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { cliInside } from '../support/cli-inside.ts';

it.each([
  [['ssh'], 'would open a shell inside\n'],
  [['logs', '--unit', 'apache2', '-n', '7', '-f'], 'would run inside: journalctl --no-pager --lines=7 --follow --unit=apache2\n'],
])('%j --dry-run opens nothing and says what it would do', async ([command = '', ...flags], stdout) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'running-'));
  writeFileSync(path.join(dir, 'devserver.yaml'), '');
  expect(await cliInside([command, dir, ...flags, '--dry-run'])).toEqual({ exitCode: 0, stdout, stderr: '' });
});
