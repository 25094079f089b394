import { describe, expect, it } from 'vitest';
import type { OptionValue } from '../../src/kernel/catalogue/option-value.ts';
import { rules } from '../../src/kernel/catalogue/rules.ts';
import { DataError } from '../../src/kernel/errors.ts';
import { resolveOptions } from '../../src/plan/options.ts';
import { wrongAnswers } from '../../src/plan/wrong-answers.ts';
import { answersWith, catalogueOf, faultsOf } from '../support/stacks.ts';

const options = {
  on: { type: 'bool', default: true, help: 'h' },
  count: { type: 'int', default: 2, min: 1, max: 4, help: 'how many' },
  heap: { type: 'size', default: '512M', min: '384M', max: '2G', help: 'h' },
  kind: { type: 'enum', of: ['a', 'b'], default: 'a', help: 'h' },
  word: { type: 'string', default: 'x', pattern: '^[a-z]+$', help: 'h' },
};
const catalogue = catalogueOf({ components: { shop: { options }, bare: {} } });
const components = [...catalogue.components.values()];
const resolve = (given: Record<string, OptionValue>, stack = {}) =>
  resolveOptions(components, stack, answersWith({ options: { shop: given } })).get('shop');
const told = (given: Record<string, unknown>) =>
  wrongAnswers(catalogue, answersWith({ options: given })).map(({ path, message, hint }) => [path.join('.'), message, hint]);

/** Loads a component with these options and runs the rules. */
function checkDefaults(own: Record<string, unknown>): void {
  const { components: loaded } = catalogueOf({ components: { shop: { options: own } } });
  const faults = rules.flatMap((rule) => rule([...loaded.values()]));
  if (faults.length > 0) throw new DataError(faults);
}

describe('options', () => {
  it('are the answers over the stack over the defaults', () => {
    expect(resolve({ count: 3 }, { shop: { count: 4, kind: 'b' } })).toEqual({
      on: true,
      count: 3,
      heap: '512M',
      kind: 'b',
      word: 'x',
    });
  });

  it.each([
    ['on', 'yes', 'is neither true nor false'],
    ['count', 2.5, 'is no whole number'],
    ['count', '3', 'is no whole number'],
    ['count', 0, 'is less than 1'],
    ['count', 5, 'is more than 4'],
    ['heap', '1T', 'is no size such as 384M or 2G'],
    ['heap', 512, 'is no size such as 384M or 2G'],
    ['heap', '383M', 'is less than 384M'],
    ['heap', '3G', 'is more than 2G'],
    ['kind', 'c', 'is not one of a, b'],
    ['word', 7, 'is no text'],
    ['word', 'A', 'does not match ^[a-z]+$'],
  ] as const)('%s: %j %s', (name, value, why) => {
    expect(told({ shop: { [name]: value } })).toEqual([
      [`options.shop.${name}`, `shop.${name}: ${JSON.stringify(value)} ${why}`, options[name].help],
    ]);
    const wrongDefault = { [name]: { ...options[name], default: value } };
    const faults = faultsOf(() => checkDefaults(wrongDefault));
    // a default of another type is no component at all
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^components\/shop\/component\.yaml:\d+:\d+: /);
  });

  it('take sizes in either unit up to their limits', () => {
    expect(told({ shop: { heap: '2048M' } })).toEqual([]);
    expect(told({ shop: { heap: '2G' } })).toEqual([]);
  });

  it('that nobody knows are refused, with the one that was meant', () => {
    expect(told({ shop: { cuont: 3 } })).toEqual([['options.shop.cuont', 'shop has no option "cuont"', 'did you mean count?']]);
    expect(told({ shop: { constructor: 'x' } })).toEqual([
      ['options.shop.constructor', 'shop has no option "constructor"', 'it has on, count, heap, kind, word'],
    ]);
    expect(told({ shpo: { count: 1 } })).toEqual([['options.shpo', 'there is no component "shpo"', 'did you mean shop?']]);
    expect(told({ bare: { a: 1 } })).toEqual([['options.bare.a', 'bare has no option "a"', 'it has none']]);
  });

  it('of a stack are checked as it is loaded', () => {
    const stack = { options: { shop: { count: 9, knd: 'a' }, shpo: {} } };
    const faults = faultsOf(() => catalogueOf({ components: { shop: { options } }, stack }));
    expect(faults.map((line) => line.replace(/^default\.yaml:\d+:\d+: /, ''))).toEqual([
      'shop.count: 9 is more than 4 (how many)',
      'shop has no option "knd" (did you mean kind?)',
      'there is no component shpo (did you mean shop?)',
    ]);
  });
});
