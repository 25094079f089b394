import type { Component } from '../kernel/catalogue/load.ts';
import type { OptionValues } from '../kernel/catalogue/option-value.ts';
import type { Answers } from './answers.ts';

/** The options of every component: answers over stack over defaults. All three have been checked. */
export function resolveOptions(
  components: readonly Component[],
  stackOptions: Answers['options'],
  answers: Answers,
): ReadonlyMap<string, OptionValues> {
  return new Map(
    components.map(({ data }) => {
      const defaults = Object.entries(data.options).map(([name, option]) => [name, option.default]);
      return [data.name, { ...Object.fromEntries(defaults), ...stackOptions[data.name], ...answers.options[data.name] }];
    }),
  );
}
