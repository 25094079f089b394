import type * as z from 'zod';
import type { Catalogue } from '../kernel/catalogue/load.ts';
import type { OptionValue } from '../kernel/catalogue/option-value.ts';
import type { Question } from '../kernel/question.ts';
import { type Answers, answersSchema, cpuLimits } from '../plan/answers.ts';
import { type WrongAnswer, wrongNames } from '../plan/wrong-answers.ts';
import type { WrongFlag } from '../wizard/wrong-flag.ts';
import { type WhyWrong, wholeNumber } from './arguments.ts';
import { wrongAuthorities } from './authorities.ts';
import type { CommonOptions } from './context.ts';
import { wrongValue } from './parsed-flags.ts';

/** What `create` may be told beside the common options. */
export interface CreateOptions extends CommonOptions {
  readonly yes?: boolean;
  readonly up?: boolean;
  /** False: the answers alone are wanted. */
  readonly build?: boolean;
  readonly set?: readonly string[];
  readonly with?: readonly string[];
  readonly url?: string | undefined;
  readonly timezone?: string | undefined;
  readonly cpus?: string | undefined;
  readonly output?: readonly string[] | undefined;
  /** File of answers that are to be taken as they are. */
  readonly config?: string;
  /** Files with certificates of authorities. */
  readonly authority?: readonly string[] | undefined;
  /** Answers by flag. */
  readonly [flag: string]: unknown;
}

/** Flags that answer questions, as typed. */
export function givenFlags(questions: readonly Question[], options: CreateOptions): ReadonlyMap<string, string> {
  const key = (flag: string): string => flag.replaceAll(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase());
  return new Map(
    questions.flatMap(({ flag }) =>
      typeof options[key(flag)] === 'string' ? [[flag, options[key(flag)] as string] as const] : [],
    ),
  );
}

/** What is wrong with the flags that answer no question, whatever the answers will be. */
export function wrongOtherFlags(options: CreateOptions, catalogue: Catalogue): WrongFlag[] {
  const { url, timezone } = answersSchema.shape;
  const shapeless = (options.set ?? []).filter((pair) => partsOf(pair) === undefined);
  const named = { base: undefined, stack: undefined, choices: {}, extra: [...(options.with ?? [])] };
  return [
    ...wrongValue('--cpus', options.cpus, wholeNumber(cpuLimits.least, cpuLimits.most)),
    ...wrongValue('--url', options.url, firstIssue(url)),
    ...wrongValue('--timezone', options.timezone, firstIssue(timezone)),
    ...shapeless.map((pair) => ({ flag: `--set ${pair}`, message: 'it is COMPONENT.OPTION=VALUE', hint: undefined })),
    ...wrongAuthorities(options.authority ?? []).map((wrong) => ({ ...wrong, flag: `--authority ${wrong.flag}` })),
    ...asFlags(wrongNames(catalogue, { ...named, options: settings(options.set ?? [], catalogue) }), options),
  ];
}

/** Processors as a number; the flag has been checked. */
export function processors({ cpus }: CreateOptions): number {
  return Number(cpus ?? 2);
}

/** `--set component.option=value`, each value of its option's type. */
export function settings(pairs: readonly string[], { components }: Catalogue): Answers['options'] {
  const result = new Map<string, Map<string, OptionValue>>();
  for (const { component, option, text } of pairs.flatMap((pair) => partsOf(pair) ?? [])) {
    const type = components.get(component)?.data.options[option]?.type;
    const of = result.get(component) ?? new Map<string, OptionValue>();
    result.set(component, of.set(option, typed(text, type)));
  }
  return Object.fromEntries([...result].map(([component, of]) => [component, Object.fromEntries(of)]));
}

/** Wrong answers by the flags they came from. */
export function asFlags(wrong: readonly WrongAnswer[], options: CreateOptions): WrongFlag[] {
  return wrong.map(({ path, message, hint }) => ({ flag: flagOf(path, options), message: withoutName(path, message), hint }));
}

/** The flag is the name of the question already. */
function withoutName([part, name]: WrongAnswer['path'], message: string): string {
  return part === 'choices' && message.startsWith(`${name}: `) ? message.slice(`${name}: `.length) : message;
}

function flagOf([part, name, option]: WrongAnswer['path'], options: CreateOptions): string {
  if (part === 'machine') return `--memory${options.memory === undefined ? '' : ` ${options.memory}`}`;
  if (part === 'extra') return `--with ${options.with?.[Number(name)] ?? ''}`;
  if (part !== 'options') return `--${part === 'choices' ? name : part}`;
  const start = option === undefined ? `${name}.` : `${name}.${option}=`;
  return `--set ${options.set?.findLast((pair) => pair.startsWith(start)) ?? start}`;
}

function firstIssue(schema: z.ZodType): WhyWrong {
  return (text) => schema.safeParse(text).error?.issues[0]?.message;
}

interface Setting {
  readonly component: string;
  readonly option: string;
  readonly text: string;
}

function partsOf(pair: string): Setting | undefined {
  const match = /^([a-z][a-z0-9-]*)\.([a-z][A-Za-z0-9]*)=(.*)$/.exec(pair);
  if (match === null) return undefined;
  const [, component = '', option = '', text = ''] = match;
  return { component, option, text };
}

/** The value as its option wants it; one that is no such value stays text and is refused as that. */
function typed(text: string, type: string | undefined): OptionValue {
  if (type === 'bool' && (text === 'true' || text === 'false')) return text === 'true';
  return type === 'int' && /^-?[0-9]+$/.test(text) ? Number(text) : text;
}
