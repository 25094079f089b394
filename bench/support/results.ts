import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeMachine } from './machine.ts';

/** The checkout. */
export const checkout = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Writes bench/results/NAME.json: the figures with the machine, the day and the commit they were measured on. */
export function writeResults(name: string, figures: Readonly<Record<string, unknown>>): void {
  const commit = execFileSync('git', ['-C', checkout, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const result = { measured: new Date().toISOString(), commit, machine: describeMachine(), ...figures };
  const folder = path.join(checkout, 'bench/results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/** Writes docs/figures/NAME.svg. */
export function writePlot(name: string, svg: string): void {
  const folder = path.join(checkout, 'docs/figures');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.svg`), svg);
}
