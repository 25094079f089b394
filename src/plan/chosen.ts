import type { StackData } from '../kernel/catalogue/base-schema.ts';
import { type Catalogue, type Component, choose } from '../kernel/catalogue/load.ts';
import { provides } from '../kernel/catalogue/rules.ts';
import type { Answers } from './answers.ts';

/** The stack's components, the chosen and the further ones, and what they need where only one component can give it. */
export function chosenComponents(
  catalogue: Catalogue,
  stack: StackData,
  answers: Pick<Answers, 'choices' | 'extra'>,
): Component[] {
  const chosen = stack.choices.flatMap(({ id, default: preset }) => answers.choices[id] ?? preset).filter((it) => it !== 'none');
  const names = new Set([...stack.components, ...chosen, ...answers.extra]);
  return withNeeds(
    [...names].map((name) => choose('component', catalogue.components, name)),
    catalogue,
  );
}

/** A needed role that nobody chosen provides is added when exactly one component could. */
function withNeeds(components: readonly Component[], catalogue: Catalogue): Component[] {
  const result = [...components];
  for (let index = 0; index < result.length; index += 1) {
    for (const role of result[index]?.data.needs ?? []) {
      if (provides(result, role)) continue;
      const able = [...catalogue.components.values()].filter((candidate) => provides([candidate], role));
      if (able.length === 1 && able[0] !== undefined) result.push(able[0]);
    }
  }
  return result;
}
