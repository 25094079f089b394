import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { replacedAnswers, writeAnswers } from '../../src/commands/kept-answers.ts';
import { answersSchema } from '../../src/plan/answers.ts';
import { cliInside } from '../support/cli-inside.ts';

const machine = { memory: '3G', systemDisk: '4G', dataDisk: '20G' };
const answers = answersSchema.parse({ version: 1, name: 'shop', hostname: 'shop', base: 'debian-13', machine });
const fresh = (): string => mkdtempSync(path.join(tmpdir(), 'kept-'));

it('keeps every devserver.yaml that a new one replaces', () => {
  const dir = fresh();
  const at = (name: string): string => path.join(dir, name);
  expect(writeAnswers(dir, answers)).toBeUndefined();
  const own = readFileSync(at('devserver.yaml'), 'utf8');
  for (const [edited, kept] of [
    ['first', 'devserver.yaml.old'],
    ['second', 'devserver.yaml.old.1'],
    ['third', 'devserver.yaml.old.2'],
  ] as const) {
    writeFileSync(at('devserver.yaml'), edited);
    expect(replacedAnswers(dir, answers)).toBe(at(kept));
    expect(writeAnswers(dir, answers)).toBe(at(kept));
    expect([readFileSync(at('devserver.yaml'), 'utf8'), readFileSync(at(kept), 'utf8')]).toEqual([own, edited]);
  }
  expect(readFileSync(at('devserver.yaml.old'), 'utf8')).toBe('first');
  expect(writeAnswers(dir, answers)).toBeUndefined();
  expect(readdirSync(dir)).toHaveLength(4);
});

it('is told before, in a dry run', async () => {
  const dir = fresh();
  const file = path.join(dir, 'devserver.yaml');
  writeFileSync(
    file,
    'version: 1\nname: shop\nhostname: shop\nbase: debian-13\nmachine: {memory: 3G, systemDisk: 4G, dataDisk: 8G}\n',
  );
  const { exitCode, stderr } = await cliInside([dir, '--yes', '--base', 'debian-13', '--plain', '--dry-run']);
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining(`would replace ${file} and keep the earlier as ${file}.old`)]);
  expect(readdirSync(dir)).toEqual(['devserver.yaml']);
});
