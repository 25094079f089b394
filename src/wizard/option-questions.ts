import type { OptionData } from '../kernel/catalogue/component-schema.ts';
import type { Component } from '../kernel/catalogue/load.ts';
import { type OptionValue, whyWrong } from '../kernel/catalogue/option-value.ts';
import type { Answer, Question } from '../kernel/question.ts';

/** A question for an option of a component, and how its answer becomes a value. */
export interface OptionQuestion {
  readonly component: string;
  readonly option: string;
  readonly question: Question;
  readonly toValue: (answer: Answer) => OptionValue;
}

/** One question for each option of the components, by its type alone: none has any code of its own. */
export function optionQuestions(
  components: readonly Component[],
  presets: ReadonlyMap<string, Readonly<Record<string, OptionValue>>>,
): OptionQuestion[] {
  return components.flatMap(({ data }) =>
    Object.entries(data.options).map(([option, about]) => {
      const preset = presets.get(data.name)?.[option] ?? about.default;
      const toValue = (answer: Answer): OptionValue => (about.type === 'int' ? numberOf(String(answer)) : asValue(answer));
      const question: Question = {
        id: `options.${data.name}.${option}`,
        flag: `set ${data.name}.${option}`,
        message: `${data.title}, ${option}: ${about.help}`,
        ...form(about, preset),
        whyWrong: (text) => whyWrong(about, toValue(text)),
      };
      return { component: data.name, option, question, toValue };
    }),
  );
}

function form(about: OptionData, preset: OptionValue): Pick<Question, 'kind' | 'choices' | 'default'> {
  if (about.type === 'bool') return { kind: 'yes-no', default: preset === true };
  if (about.type === 'enum')
    return { kind: 'one', choices: about.of.map((value) => ({ value, label: value })), default: String(preset) };
  return { kind: 'text', default: String(preset) };
}

const numberOf = (text: string): OptionValue => (/^-?[0-9]+$/.test(text) ? Number(text) : text);
const asValue = (answer: Answer): OptionValue => (typeof answer === 'boolean' ? answer : String(answer));
