import path from 'node:path';
import { type Catalogue, loadCatalogue } from '../../src/kernel/catalogue/load.ts';
import { compilePlan } from '../../src/plan/compile.ts';
import type { Programs } from '../../src/plan/generated.ts';
import type { Plan, RootFile } from '../../src/plan/plan.ts';
import { type Selection, select } from '../../src/plan/select.ts';
import { answersWith } from './stacks.ts';

export const checkout = path.resolve(import.meta.dirname, '../..');

/** Folder with the extra component. */
export const extraStacks = path.join(checkout, 'test/fixtures/stacks');

/** The stacks of this checkout, with further folders behind. */
export function realCatalogue(...more: readonly string[]): Catalogue {
  return loadCatalogue([path.join(checkout, 'stacks'), ...more]);
}

export function selectReal(catalogue: Catalogue, given: Readonly<Record<string, unknown>>): Selection {
  return select(catalogue, answersWith(given));
}

/** The plan of the real stacks for these answers; programs are empty unless given. */
export function planOf(
  catalogue: Catalogue,
  given: Readonly<Record<string, unknown>> = {},
  programs: Programs = new Map(),
): Plan {
  const answers = answersWith(given);
  return compilePlan({ selection: select(catalogue, answers), answers, programs, templates: path.join(checkout, 'templates') });
}

/** Text of a file of the plan. */
export function textOf(plan: Plan, file: string): string {
  const found = fileAt(plan, file);
  if (found.kind !== 'file') throw new Error(`${file} is a ${found.kind}`);
  return Buffer.from(found.content).toString('utf8');
}

export function fileAt(plan: Plan, file: string): RootFile {
  const found = plan.files.find((it) => it.path === file);
  if (found === undefined) throw new Error(`the plan has no ${file}`);
  return found;
}

/** Every combination of the default stack's choices: 7 sets of VCSs, 3 CI servers, with Maven and without. */
export function allChoices(): { vcs: string[]; ci: string[]; maven: string[] }[] {
  const kinds = ['git', 'hg', 'svn'];
  const sets = [1, 2, 3, 4, 5, 6, 7].map((bits) => kinds.filter((_, index) => (bits >> index) % 2 === 1));
  return sets.flatMap((vcs) =>
    ['hudson', 'jenkins', 'none'].flatMap((ci) => ['archiva', 'none'].map((maven) => ({ vcs, ci: [ci], maven: [maven] }))),
  );
}
