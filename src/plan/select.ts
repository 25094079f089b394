import type { BaseData, StackData } from '../kernel/catalogue/base-schema.ts';
import { type Catalogue, type Component, choose } from '../kernel/catalogue/load.ts';
import { provides, rules } from '../kernel/catalogue/rules.ts';
import { DataError } from '../kernel/errors.ts';
import type { Answers } from './answers.ts';
import { chosenComponents } from './chosen.ts';
import { type Refuse, refuseByPath, wrongAnswers } from './wrong-answers.ts';

/** What the answers come to: base, stack, and the components in an order in which providers come first. */
export interface Selection {
  readonly base: BaseData;
  readonly stack: StackData;
  readonly components: readonly Component[];
}

/**
 * Chooses base and components for the answers, adds what they need where only one component can give it,
 * and checks the rules.
 * @param refuse tells wrong answers with the places they came from.
 * @throws what `refuse` makes of wrong answers; DataError with every broken rule of the stack.
 */
export function select(catalogue: Catalogue, answers: Answers, refuse: Refuse = refuseByPath): Selection {
  const wrong = wrongAnswers(catalogue, answers);
  if (wrong.length > 0) throw refuse(wrong);
  const base = choose('base', catalogue.bases, answers.base);
  const stack = choose('stack', catalogue.stacks, answers.stack);
  const components = chosenComponents(catalogue, stack, answers);
  const faults = rules.flatMap((rule) => rule(components));
  if (faults.length > 0) throw new DataError(faults);
  return { base, stack, components: providersFirst(components) };
}

function providersFirst(components: readonly Component[]): Component[] {
  const done: Component[] = [];
  // wants may run in a circle; needs can not, a rule refuses that
  const visiting = new Set<Component>();
  const visit = (component: Component): void => {
    if (done.includes(component) || visiting.has(component)) return;
    visiting.add(component);
    const roles = [...component.data.needs, ...component.data.wants];
    for (const role of roles) {
      for (const provider of components) {
        if (provider !== component && provides([provider], role)) visit(provider);
      }
    }
    done.push(component);
  };
  for (const component of [...components].sort((a, b) => a.data.name.localeCompare(b.data.name))) visit(component);
  return done;
}
