import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { quoteForShell } from '../../src/machine/quote.ts';

const words = [
  'plain',
  '',
  'two  blanks',
  "it's",
  "'",
  "''",
  '"double"',
  '$HOME',
  '$(id)',
  '`id`',
  '*',
  '~',
  'a\\b',
  'a\nb',
  '-n',
  '--',
  ';',
  '&& rm',
  '!x',
  'ä\tö',
  '#',
];

it('hands every word through a real sh unchanged', () => {
  const line = quoteForShell(['printf', '%s\\0', ...words]);
  const output = execFileSync('sh', ['-c', line], { encoding: 'utf8' });
  expect(output.split('\0').slice(0, -1)).toEqual(words);
});

it('survives being quoted twice', () => {
  const line = quoteForShell(['sh', '-c', quoteForShell(['printf', '%s\\0', ...words])]);
  expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(words);
});
