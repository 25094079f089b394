import path from 'node:path';
import { type Catalogue, loadCatalogue } from '../../src/kernel/catalogue/load.ts';
import { answersSchema } from '../../src/plan/answers.ts';
import { compilePlan } from '../../src/plan/compile.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Selection } from '../../src/plan/select.ts';
import { select } from '../../src/plan/select.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** What is in stacks/. */
export const catalogue: Catalogue = loadCatalogue([path.join(root, 'stacks')]);

/** The plan of the default stack on a base with the given CI server, without bundled programs. */
export function planOf(
  base: string,
  ci: string,
  options: Record<string, Record<string, string>> = {},
): { plan: Plan; selection: Selection } {
  const machine = { memory: '3G', systemDisk: '4G', dataDisk: '20G' };
  const answers = answersSchema.parse({
    version: 1,
    name: 'dev',
    hostname: 'dev.example.org',
    base,
    choices: { ci: [ci] },
    options,
    machine,
  });
  const selection = select(catalogue, answers);
  return {
    selection,
    plan: compilePlan({ selection, answers, programs: new Map(), templates: path.join(root, 'templates') }),
  };
}

/** Text of one file of the plan. */
export function textOf(plan: Plan, file: string): string {
  const found = plan.files.find((it) => it.path === file);
  if (found?.kind !== 'file') throw new Error(`the plan has no file ${file}`);
  return Buffer.from(found.content).toString('utf8');
}
