import { describe, expect, it } from 'vitest';
import { asFlags, type CreateOptions, settings, wrongOtherFlags } from '../../src/commands/flags.ts';
import { wrongAnswers } from '../../src/plan/wrong-answers.ts';
import { answersWith, catalogueOf } from '../support/stacks.ts';

const options = {
  on: { type: 'bool', default: true, help: 'h' },
  count: { type: 'int', default: 2, max: 4, help: 'how many' },
  word: { type: 'string', default: 'x', help: 'h' },
};
const catalogue = catalogueOf({ components: { shop: { options }, spare: { options } }, stack: { components: ['shop'] } });
const told = (given: CreateOptions) =>
  wrongOtherFlags(given, catalogue).map(({ flag, message, hint }) => [flag, message, ...(hint === undefined ? [] : [hint])]);

describe('the flags that answer no question', () => {
  it('are all told by name and value, in a fixed order', () => {
    const given = {
      cpus: 'many',
      url: 'http://x',
      timezone: 'Vienna',
      with: ['spare', 'shpo'],
      set: ['nonsense', 'shop.count=9', 'shop.cuont=1', 'shpo.on=true', 'shop.on=yes'],
    };
    expect(told(given)).toEqual([
      ['--cpus many', 'must be a whole number from 1 to 64'],
      ['--url http://x', 'must be an address such as https://dev.example.org'],
      ['--timezone Vienna', 'must be a time zone such as Europe/Vienna; did you mean Europe/Vienna?'],
      ['--set nonsense', 'it is COMPONENT.OPTION=VALUE'],
      ['--with shpo', 'there is no component "shpo"', 'did you mean shop?'],
      ['--set shop.count=9', 'shop.count: 9 is more than 4', 'how many'],
      ['--set shop.cuont=1', 'shop has no option "cuont"', 'did you mean count?'],
      ['--set shop.on=yes', 'shop.on: "yes" is neither true nor false', 'h'],
      ['--set shpo.on=true', 'there is no component "shpo"', 'did you mean shop?'],
    ]);
  });

  it('are not told when they fit, whatever will be chosen', () => {
    const fits = { cpus: '4', url: 'https://dev.example.org', timezone: 'Europe/Vienna', with: ['shop'], set: ['spare.count=1'] };
    expect(told(fits)).toEqual([]);
    expect(told({})).toEqual([]);
  });

  it.each(['0', '65', '1.5', '0x2', '1e1', ' 2 ', '', '-1', '+2'])('take no --cpus %j', (cpus) =>
    expect(told({ cpus })).toEqual([[`--cpus ${cpus}`, 'must be a whole number from 1 to 64']]),
  );

  it('name a question once', () => {
    const stack = {
      components: ['shop'],
      choices: [{ id: 'vcs', question: '?', several: true, of: ['shop', 'spare'], default: ['shop'] }],
    };
    const asking = catalogueOf({ components: { shop: { options }, spare: { options } }, stack });
    expect(asFlags(wrongAnswers(asking, answersWith({ choices: { vcs: [] } })), {})).toEqual([
      { flag: '--vcs', message: 'nothing is chosen', hint: 'choose some of shop, spare' },
    ]);
  });

  it('are named where the chosen components do not take them', () => {
    const given = { set: ['spare.count=1', 'spare.on=true', 'spare.count=3'] };
    const wrong = wrongAnswers(catalogue, answersWith({ options: settings(given.set, catalogue) }));
    expect(asFlags(wrong, given)).toEqual([
      { flag: '--set spare.count=3', message: 'component spare is not in this stack', hint: 'there are shop' },
    ]);
  });
});

describe('--set', () => {
  it('gives each value the type of its option, and the last of several', () => {
    const set = ['shop.on=false', 'shop.count=3', 'shop.word=12', 'spare.word=a', 'spare.word=true', 'spare.word=a=b'];
    expect(settings(set, catalogue)).toEqual({ shop: { on: false, count: 3, word: '12' }, spare: { word: 'a=b' } });
    expect(settings(['shop.nope=1', 'nobody.on=true'], catalogue)).toEqual({ shop: { nope: '1' }, nobody: { on: 'true' } });
  });
});
