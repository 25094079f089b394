import { describe, expect, it } from 'vitest';
import { asFlags, settings } from '../../src/commands/flags.ts';
import { select } from '../../src/plan/select.ts';
import { wrongAnswers } from '../../src/plan/wrong-answers.ts';
import { realCatalogue } from '../support/real.ts';
import { answersWith, catalogueOf, faultsOf } from '../support/stacks.ts';

const size = (preset: string) => ({ type: 'size', default: preset, help: 'h' });
const java = {
  options: { heap: size('512M'), most: size('1G') },
  memory: { max: '1G', idle: '300M', heap: { option: 'heap', limit: 'most', beside: '256M' } },
};
const components = { front: { memory: { max: '1G', idle: '24M' } }, one: java, two: java, bare: {} };
const catalogue = catalogueOf({ components });
const told = (given: Record<string, unknown>, of = catalogue): string[] =>
  wrongAnswers(of, answersWith(given)).map(({ path, message, hint }) => `${path.join('.')}: ${message} (${hint})`);
const machine = (memory: string) => ({ machine: { memory, systemDisk: '4G', dataDisk: '20G' } });

describe('the memory of the machine', () => {
  it('holds every component, a heap as large as it may get', () => {
    expect(told(machine('1048M'))).toEqual([]);
    expect(told(machine('1047M'))).toEqual([
      'machine.memory: 1047M memory is too little for what runs: it takes 1048M, 512M for one.heap, 512M for two.heap, 24M for all else (1048M at least, or a smaller one.heap or two.heap)',
    ]);
    const options = { one: { heap: '4G', most: '5G' }, two: { heap: '100M' } };
    expect(told({ ...machine('3G'), options })).toEqual([
      'machine.memory: 3G memory is too little for what runs: it takes 4420M, 4G for one.heap, 300M for two.heap, 24M for all else (4420M at least, or a smaller one.heap or two.heap)',
    ]);
    const small = catalogueOf({ components: { front: { memory: { max: '4G', idle: '2G' } } } });
    expect(told(machine('1G'), small)).toEqual([
      'machine.memory: 1G memory is too little for what runs: it takes 2G, 2G for all else (2G at least, or fewer components)',
    ]);
  });

  it('is told with the flag it came from', () => {
    const wrong = wrongAnswers(catalogue, answersWith(machine('1G')));
    expect(asFlags(wrong, { memory: '1G' }).map(({ flag }) => flag)).toEqual(['--memory 1G']);
    expect(asFlags(wrong, {}).map(({ flag }) => flag)).toEqual(['--memory']);
  });

  it('is enough by default for the real stack, and not for a heap of 8G', () => {
    const real = realCatalogue();
    expect(told(machine('3G'), real)).toEqual([]);
    const set = ['hudson.heap=8G', 'hudson.memoryLimit=10G'];
    const wrong = wrongAnswers(real, answersWith({ ...machine('3G'), options: settings(set, real) }));
    expect(wrong.map(({ path }) => path)).toEqual([['machine', 'memory']]);
    expect(wrong[0]?.message).toMatch(/takes \d+M, 8G for hudson\.heap, 512M for archiva\.heap, \d+M for all else$/);
  });
});

describe('the limit of a component', () => {
  it('holds its heap and what it takes beside', () => {
    const given = (one: Record<string, string>) => ({ ...machine('4G'), options: { one } });
    expect(told(given({ heap: '768M' }))).toEqual([]);
    const sentence = (heap: string, most: string, least: string): string =>
      `one.heap ${heap} and the 256M it takes beside do not fit into one.most ${most} (one.most ${least} at least, or a smaller one.heap)`;
    expect(told(given({ heap: '769M' }))).toEqual([`options.one.heap: ${sentence('769M', '1G', '1025M')}`]);
    expect(told(given({ most: '700M' }))).toEqual([`options.one.most: ${sentence('512M', '700M', '768M')}`]);
  });

  it('is not judged by values that are none, nor by options that are not there', () => {
    expect(told({ ...machine('3G'), options: { one: { heap: 'much' } } })).toEqual([
      'options.one.heap: one.heap: "much" is no size such as 384M or 2G (h)',
    ]);
    const heap = { option: 'haep', limit: 'on', beside: '1M' };
    const options = { heap: size('1G'), on: { type: 'bool', default: true, help: 'h' } };
    const faulty = catalogueOf({ components: { a: { options, memory: { max: '1G', idle: '1M', heap } } } });
    expect(faultsOf(() => select(faulty, answersWith())).map((line) => line.replace(/^[^ ]+ /, ''))).toEqual([
      'there is no option haep of the type size (did you mean heap?)',
      'there is no option on of the type size',
    ]);
  });
});
