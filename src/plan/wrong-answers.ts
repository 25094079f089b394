import * as z from 'zod';
import type { StackData } from '../kernel/catalogue/base-schema.ts';
import type { Catalogue, Component } from '../kernel/catalogue/load.ts';
import { wrongOptionsOf } from '../kernel/catalogue/option-rules.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { didYouMean } from '../kernel/nearest.ts';
import type { PathPart } from '../kernel/yaml-file.ts';
import type { Answers } from './answers.ts';
import { chosenComponents } from './chosen.ts';
import { wrongMemory } from './wrong-memory.ts';

/** One wrong answer: where it stands among the answers, a sentence, the remedy. */
export interface WrongAnswer {
  readonly path: readonly PathPart[];
  readonly message: string;
  readonly hint: string | undefined;
}

/** The error that tells wrong answers, each with the line or the flag it came from. */
export type Refuse = (wrong: readonly WrongAnswer[]) => UserError;

/** What of the answers names something of the catalogue, as far as it is well-formed; the rest counts as not given. */
export type NamedAnswers = z.output<typeof namedAnswersSchema>;

const word = z.string().optional().catch(undefined);
const words = z.union([z.array(word), z.string().transform((name) => [name])]).catch([undefined]);
const value = z.union([z.string(), z.number(), z.boolean()]).optional().catch(undefined);

/** Takes anything. */
export const namedAnswersSchema = z
  .object({
    base: word,
    stack: word,
    choices: z.record(z.string(), words).catch({}),
    extra: words,
    options: z.record(z.string(), z.record(z.string(), value).catch({})).catch({}),
  })
  .catch({ base: undefined, stack: undefined, choices: {}, extra: [], options: {} });

/** Everything in whole answers that the catalogue does not have, or that does not fit what it has. */
export function wrongAnswers(catalogue: Catalogue, answers: Answers): WrongAnswer[] {
  const wrong = wrongNames(catalogue, answers);
  const stack = catalogue.stacks.get(answers.stack);
  // with such a name wrong nobody knows which components there will be
  if (stack === undefined || wrong.some(({ path }) => ['choices', 'extra'].includes(String(path[0])))) return wrong;
  const chosen = chosenComponents(catalogue, stack, answers);
  const names = chosen.map(({ data }) => data.name);
  const unused = Object.keys(answers.options)
    .filter((name) => catalogue.components.has(name) && !names.includes(name))
    .map((name) => ({
      path: ['options', name],
      message: `component ${name} is not in this stack`,
      hint: didYouMean(name, names) ?? `there are ${names.join(', ')}`,
    }));
  // a value that is none has no size
  const memory = wrong.some(({ path }) => path[0] === 'options') ? [] : wrongMemory(chosen, stack, answers);
  return [...wrong, ...rivals(chosen, answers.extra), ...untaken(chosen, answers), ...unused, ...memory];
}

/** Further components that do what a chosen one does already. */
function rivals(chosen: readonly Component[], extra: readonly string[]): WrongAnswer[] {
  return extra.flatMap((name, index) => {
    const own = chosen.find(({ data }) => data.name === name)?.data.provides ?? [];
    const other = chosen.find(({ data }) => data.name !== name && data.provides.some((role) => own.includes(role)));
    const role = own.find((it) => other?.data.provides.includes(it));
    return other === undefined
      ? []
      : [
          {
            path: ['extra', index],
            message: `${name} and ${other.data.name} both provide ${role}`,
            hint: 'a server has one of them: choose it with the question they both answer',
          },
        ];
  });
}

/** Components of a kind with which another one can not work, such as a VCS for which the tracker has no connector. */
function untaken(chosen: readonly Component[], { choices, extra }: Answers): WrongAnswer[] {
  const kindOf = (role: string): string => role.replace(/:.*$/, '');
  return chosen.flatMap(({ data: { name, takes } }) =>
    chosen.flatMap(({ data: other }): WrongAnswer[] => {
      const role = other.provides.find((it) => !takes.includes(it) && takes.some((taken) => kindOf(taken) === kindOf(it)));
      if (role === undefined) return [];
      const choice = Object.entries(choices).find(([, names]) => names.includes(other.name));
      const path = choice === undefined ? ['extra', extra.indexOf(other.name)] : ['choices', choice[0]];
      return [{ path, message: `${other.name} provides ${role}, and ${name} takes only ${takes.join(', ')}`, hint: undefined }];
    }),
  );
}

/** The same for answers that are not whole: only what would be wrong whatever the rest says. */
export function wrongNames(catalogue: Catalogue, answers: NamedAnswers): WrongAnswer[] {
  const stack = catalogue.stacks.get(answers.stack ?? 'default');
  // which stack was meant nobody knows; what none of them takes is wrong all the same
  const asked = stack === undefined ? anyOf([...catalogue.stacks.values()]) : stack;
  return [
    ...wrongBase(catalogue, answers.base),
    ...unknown('stack', catalogue.stacks, answers.stack, ['stack']),
    ...wrongChoices(asked, answers.choices),
    ...answers.extra.flatMap((name, index) => unknown('component', catalogue.components, name, ['extra', index])),
    ...Object.entries(answers.options).flatMap(([name, given]) => {
      const component = catalogue.components.get(name);
      if (component === undefined) return unknown('component', catalogue.components, name, ['options', name]);
      return wrongOptionsOf(component.data, given).map((wrong) => ({ ...wrong, path: ['options', ...wrong.path] }));
    }),
  ];
}

/** Wrong answers of which nobody knows where they came from; exit 3. */
export const refuseByPath: Refuse = (wrong) =>
  new UserError(`${wrong.length} ${wrong.length === 1 ? 'answer is' : 'answers are'} wrong`, {
    exitCode: exitCodes.badData,
    details: wrong.map(({ path, message, hint }) => `${path.join('.')}: ${message}${hint === undefined ? '' : ` (${hint})`}`),
  });

/** What a stack asks; without a name it stands for several of which one is meant. */
type Asked = Pick<StackData, 'choices'> & Partial<Pick<StackData, 'name'>>;

function anyOf(stacks: readonly StackData[]): Asked {
  const ids = new Set(stacks.flatMap(({ choices }) => choices.map(({ id }) => id)));
  const choices = [...ids].flatMap((id) => {
    const [first, ...others] = stacks.flatMap((stack) => stack.choices.filter((choice) => choice.id === id));
    if (first === undefined) return [];
    const of = [...new Set([first, ...others].flatMap((choice) => choice.of))];
    return [{ ...first, of, several: first.several || others.some(({ several }) => several) }];
  });
  return { choices };
}

function wrongChoices(asked: Asked, given: NamedAnswers['choices']): WrongAnswer[] {
  const known = asked.choices.map(({ id }) => id);
  return Object.entries(given).flatMap(([id, names]): WrongAnswer[] => {
    const choice = asked.choices.find((it) => it.id === id);
    if (choice === undefined) {
      const [who, they] =
        asked.name === undefined ? ['no stack asks anything', 'they ask'] : [`the stack ${asked.name} asks nothing`, 'it asks'];
      const hint = didYouMean(id, known) ?? (known.length === 0 ? undefined : `${they} ${known.join(', ')}`);
      return [{ path: ['choices', id], message: `${who} called "${id}"`, hint }];
    }
    const strangers = names.flatMap((name, index): WrongAnswer[] =>
      name === undefined || choice.of.includes(name)
        ? []
        : [
            {
              path: ['choices', id, index],
              message: `${id}: "${name}" is not one of ${choice.of.join(', ')}`,
              hint: choice.several && isList(name, choice.of) ? `a list is [${name}]` : didYouMean(name, choice.of),
            },
          ],
    );
    if (names.every((name) => name === '')) {
      const message = `${id}: nothing is chosen`;
      return [{ path: ['choices', id], message, hint: `choose ${choice.several ? 'some' : 'one'} of ${choice.of.join(', ')}` }];
    }
    const tooMany = !choice.several && names.length > 1;
    return tooMany
      ? [...strangers, { path: ['choices', id], message: `${id}: only one of ${choice.of.join(', ')}`, hint: undefined }]
      : strangers;
  });
}

/** Several of the words in one text, without the brackets of a list. */
function isList(text: string, words: readonly string[]): boolean {
  return text.includes(',') && text.split(',').every((word) => words.includes(word.trim()));
}

/** `auto` is for who asks now: a file means the same machine next year. */
function wrongBase({ bases }: Catalogue, name: string | undefined): WrongAnswer[] {
  if (name !== 'auto') return unknown('base', bases, name, ['base']);
  const hint = `write one of ${[...bases.keys()].sort().join(', ')}; create-devserver --base auto chooses and writes it`;
  return [{ path: ['base'], message: 'base: auto leaves open what is built: this file names the base itself', hint }];
}

function unknown(
  kind: string,
  entries: ReadonlyMap<string, unknown>,
  name: string | undefined,
  path: readonly PathPart[],
): WrongAnswer[] {
  if (name === undefined || entries.has(name)) return [];
  const names = [...entries.keys()].sort();
  return [{ path, message: `there is no ${kind} "${name}"`, hint: didYouMean(name, names) ?? `there are ${names.join(', ')}` }];
}
