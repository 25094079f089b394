import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/kernel/errors.ts';
import { select } from '../../src/plan/select.ts';
import type { Refuse } from '../../src/plan/wrong-answers.ts';
import { answersWith, catalogueOf, faultsOf, type StacksFixture } from '../support/stacks.ts';

const fixture: StacksFixture = {
  components: {
    front: { provides: ['web'], needs: ['directory'] },
    users: { provides: ['directory'] },
    tickets: { needs: ['web', 'vcs'] },
    aone: { provides: ['vcs:one'], needs: ['web'], wants: ['tracker'] },
    two: { provides: ['vcs:two'] },
    spare: {},
    rival: { provides: ['vcs:one'] },
  },
  stack: {
    components: ['tickets'],
    choices: [
      { id: 'vcs', question: '?', of: ['aone', 'two', 'none'], default: ['aone'], several: true },
      { id: 'ci', question: '?', of: ['spare', 'none'], default: ['none'] },
    ],
  },
};
const names = (given: Record<string, unknown>): string[] =>
  select(catalogueOf(fixture), answersWith(given)).components.map(({ data }) => data.name);

describe('select', () => {
  it('adds what is needed where only one component gives it, providers first', () => {
    expect(names({})).toEqual(['users', 'front', 'aone', 'tickets']);
  });

  it('does not guess between several providers', () => {
    const faults = faultsOf(() => names({ choices: { vcs: ['none'] } }));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^components\/tickets\/component\.yaml:\d+:\d+: nothing in the stack provides vcs$/);
  });

  it.each([
    [{ choices: { vcs: [] } }, 'choices.vcs: vcs: nothing is chosen (choose some of aone, two, none)'],
    [{ choices: { vcs: '' } }, 'choices.vcs: vcs: nothing is chosen (choose some of aone, two, none)'],
    [
      { choices: { vcs: ['aone'] }, extra: ['rival'] },
      'extra.0: rival and aone both provide vcs:one (a server has one of them: choose it with the question they both answer)',
    ],
  ])('tells %j where it was said', (given, told) => {
    expect(() => names(given)).toThrow(expect.objectContaining({ details: [told] }));
  });

  it('refuses a kind that a component can not work with, where it was chosen', () => {
    const tickets = { needs: ['web', 'vcs'], takes: ['vcs:one'] };
    const picky = { ...fixture, components: { ...fixture.components, tickets } };
    const of = (given: Record<string, unknown>) => () => select(catalogueOf(picky), answersWith(given));
    expect(of({ choices: { vcs: ['aone'] } })).not.toThrow();
    expect(of({ choices: { vcs: ['aone', 'two'] } })).toThrow(
      expect.objectContaining({ details: ['choices.vcs: two provides vcs:two, and tickets takes only vcs:one'] }),
    );
    expect(of({ choices: { vcs: ['aone'] }, extra: ['two'] })).toThrow(
      expect.objectContaining({ details: ['extra.0: two provides vcs:two, and tickets takes only vcs:one'] }),
    );
  });

  it('takes choices and further components, each once', () => {
    expect(names({ choices: { vcs: ['two', 'aone'], ci: ['spare'] }, extra: ['spare'] })).toEqual([
      'users',
      'front',
      'aone',
      'spare',
      'two',
      'tickets',
    ]);
    expect(names({ choices: { vcs: ['two'] } })).toEqual(['users', 'front', 'two', 'tickets']);
  });

  it('refuses every wrong answer at once, each with its path', () => {
    const given = {
      base: 'debian-12',
      stack: 'default',
      choices: { vcs: ['tow', 'two'], cvs: ['two'], ci: ['spare', 'none'] },
      extra: ['spaer', 'spare'],
      options: { fornt: { a: 1 }, front: { a: 1 } },
    };
    expect(() => names(given)).toThrow(
      expect.objectContaining({
        message: '7 answers are wrong',
        exitCode: 3,
        details: [
          'base: there is no base "debian-12" (did you mean debian-13?)',
          'choices.vcs.0: vcs: "tow" is not one of aone, two, none (did you mean two?)',
          'choices.cvs: the stack default asks nothing called "cvs" (did you mean vcs?)',
          'choices.ci: ci: only one of spare, none',
          'extra.0: there is no component "spaer" (did you mean spare?)',
          'options.fornt: there is no component "fornt" (did you mean front?)',
          'options.front.a: front has no option "a" (it has none)',
        ],
      }),
    );
    expect(() => names({ stack: 'other', choices: { what: ['ever'] } })).toThrow(
      expect.objectContaining({
        details: [
          'stack: there is no stack "other" (there are default)',
          'choices.what: no stack asks anything called "what" (they ask vcs, ci)',
        ],
      }),
    );
  });

  it('judges choices of an unknown stack by what any stack takes', () => {
    const choices = [
      { id: 'vcs', question: '?', of: ['spare'], default: ['spare'] },
      { id: 'ci', question: '?', of: ['two'], default: ['two'] },
    ];
    const small = JSON.stringify({ name: 'small', title: 'S', components: ['front'], choices });
    const catalogue = catalogueOf({ ...fixture, files: { 'small.yaml': small } });
    const told = (given: Record<string, unknown>) => () => select(catalogue, answersWith({ stack: 'smal', ...given }));
    const unknown = 'stack: there is no stack "smal" (did you mean small?)';
    expect(told({ choices: { vcs: ['spare', 'aone'], ci: 'two' } })).toThrow(expect.objectContaining({ details: [unknown] }));
    expect(told({ choices: { vcs: ['spaer'], ci: ['two', 'spare'] } })).toThrow(
      expect.objectContaining({
        details: [
          unknown,
          'choices.vcs.0: vcs: "spaer" is not one of aone, two, none, spare (did you mean spare?)',
          'choices.ci: ci: only one of spare, none, two',
        ],
      }),
    );
  });

  it('tells what is wrong with the components beside a wrong base', () => {
    const given = { base: 'debian-12', choices: { vcs: ['aone'] }, extra: ['rival'], options: { spare: {} } };
    expect(() => names(given)).toThrow(
      expect.objectContaining({
        details: [
          'base: there is no base "debian-12" (did you mean debian-13?)',
          expect.stringContaining('extra.0: rival and aone both provide vcs:one'),
          expect.stringContaining('options.spare: component spare is not in this stack'),
        ],
      }),
    );
  });

  it('refuses options of a component that is there, but not in the stack', () => {
    const options = { spare: {} };
    expect(() => names({ options })).toThrow(
      expect.objectContaining({
        details: ['options.spare: component spare is not in this stack (there are tickets, aone, front, users)'],
      }),
    );
    expect(names({ options, choices: { ci: ['spare'] } })).toContain('spare');
    expect(() => names({ options, choices: { ci: ['spaer'] } })).toThrow(
      expect.objectContaining({ details: ['choices.ci.0: ci: "spaer" is not one of spare, none (did you mean spare?)'] }),
    );
  });

  it('tells wrong answers as whoever asked for them wants', () => {
    const told: unknown[] = [];
    const refuse: Refuse = (wrong) => {
      told.push(...wrong.map(({ path }) => path));
      return new UserError('refused');
    };
    expect(() => select(catalogueOf(fixture), answersWith({ extra: ['x'] }), refuse)).toThrow('refused');
    expect(told).toEqual([['extra', 0]]);
  });
});
