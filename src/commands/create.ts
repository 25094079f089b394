import path from 'node:path';
import { ask } from '../kernel/ask.ts';
import type { StackData } from '../kernel/catalogue/base-schema.ts';
import { type Catalogue, choose } from '../kernel/catalogue/load.ts';
import type { OptionValue } from '../kernel/catalogue/option-value.ts';
import type { Answer, Question } from '../kernel/question.ts';
import { type Answers, answersSchema } from '../plan/answers.ts';
import { archiveAnswers, chooseBase } from '../plan/base.ts';
import { chosenComponents } from '../plan/chosen.ts';
import { estimateOf, estimateText } from '../plan/estimate.ts';
import { resolveOptions } from '../plan/options.ts';
import { outputFormats } from '../plan/output-formats.ts';
import { type WrongAnswer, wrongAnswers } from '../plan/wrong-answers.ts';
import { asCalled } from '../terminal/called-as.ts';
import { optionQuestions } from '../wizard/option-questions.ts';
import { questionsFor } from '../wizard/questions.ts';
import { answerQuestions } from '../wizard/wizard.ts';
import { refuseFlags, type WrongFlag } from '../wizard/wrong-flag.ts';
import { answersAsCommand } from './answers-as-command.ts';
import { authorityCopy, copyAuthorities } from './authorities.ts';
import { runBuild } from './build.ts';
import { type CommandContext, requireFolders } from './context.ts';
import { type EarlierAnswers, earlierAnswers } from './earlier-answers.ts';
import { asFlags, type CreateOptions, givenFlags, processors, settings, wrongOtherFlags } from './flags.ts';
import { replacedAnswers, writeAnswers } from './kept-answers.ts';
import { makePlan, planAsJson, showPlan } from './make-plan.ts';
import { requireFolder } from './server-folder.ts';
import { readSshKeys, type SshKeyOptions, wrongSshKeys } from './ssh-keys.ts';
import { runUp } from './up.ts';

type GivenOptions = CreateOptions & SshKeyOptions;

/** What is known besides the answers to questions. */
interface Given extends GivenOptions {
  /** Name of the stack. */
  readonly stack: string;
  readonly options: Answers['options'];
  readonly sshKeys: readonly string[] | undefined;
}

/**
 * `create-devserver [DIR]`: asks, shows the plan, writes DIR/devserver.yaml, builds, offers to boot.
 * @param wrongParsed what was found wrong with flags before, to be told with the rest.
 */
export async function runCreate(
  dir: string,
  options: GivenOptions,
  context: CommandContext,
  wrongParsed: readonly WrongFlag[],
): Promise<void> {
  const { catalogue, output } = context;
  requireFolder(dir);
  if (options.dryRun !== true) requireFolders(dir, context.cache);
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true && !output.json;
  const isAsked = terminal && options.yes !== true && options.config === undefined;
  const earlier = earlierAnswers(dir, options.config, isAsked, context);
  const stack = choose('stack', catalogue().stacks, earlier?.answers.stack ?? 'default');
  const given = withEarlier(options, earlier, catalogue());
  const questions = askedInTurn(questionsFor(catalogue(), stack, earlier?.answers), given, catalogue());
  const answered = await answerQuestions({
    questions,
    given: givenFlags(questions, options),
    wrongOthers: [...wrongOtherFlags(options, catalogue()), ...wrongSshKeys(options), ...wrongParsed],
    yes: options.yes === true || options.config !== undefined,
    terminal,
    ask,
    answered: (question, answers) => {
      if (!question.id.startsWith('choices.')) return;
      const text = estimated([...presetsOf(questions), ...answers], stack, given, catalogue());
      if (text !== undefined) output.report({ type: 'note', text });
    },
  });
  const base = await chooseBase(catalogue().bases, String(answered.get('base')), options.mirror, archiveAnswers);
  output.report({ type: 'note', text: `base ${base.name}: ${base.why}` });
  const first = withoutIdle(assemble(answered, base.name, given), stack, options, catalogue());
  const answers = isAsked ? await withOptions(first, stack, catalogue()) : first;
  const plan = await makePlan({ answers, refuse: (wrong) => refuseFlags(asFlags(wrong, options)) }, context);
  const replaced = replacedAnswers(dir, answers);
  if (replaced !== undefined && (options.dryRun === true || isAsked)) {
    const text = `would replace ${path.join(dir, 'devserver.yaml')} and keep the earlier as ${replaced}`;
    output.report({ type: 'note', text });
  }
  const command = answersAsCommand(dir, answers, questions, options);
  const again = `  again       ${command}`;
  if (options.dryRun === true) {
    output.result(`${showPlan(plan, answers)}\n${again}`, { plan: planAsJson(plan), command });
    return;
  }
  output.report({ type: 'note', text: `${showPlan(plan, answers)}\n${again}` });
  if (isAsked && !(await confirm(options.build === false ? 'Write it?' : 'Build it?'))) {
    output.report({ type: 'note', text: 'nothing was done' });
    return;
  }
  copyAuthorities(dir, given.authority ?? []);
  const kept = writeAnswers(dir, answers);
  if (kept !== undefined) output.report({ type: 'note', text: `the earlier answers are kept as ${kept}` });
  if (options.build === false) {
    output.result(`${path.join(dir, 'devserver.yaml')} is written; nothing was built`, { written: true, command });
    return;
  }
  await runBuild(dir, options, context, plan);
  const boot = options.up === true || (isAsked && (await confirm('Start it now?')));
  if (boot) await runUp(dir, { ...options, backend: 'auto', wait: true }, context);
  else output.report({ type: 'note', text: asCalled(`start it with: create-devserver up ${dir} --wait`) });
}

/** The flags, and for what they leave open the earlier answers that no question asks for. */
function withEarlier(options: GivenOptions, earlier: EarlierAnswers | undefined, catalogue: Catalogue): Given {
  const set = settings(options.set ?? [], catalogue);
  if (earlier === undefined)
    return { ...options, stack: 'default', options: set, sshKeys: options.sshKey && readSshKeys(options) };
  const { answers, authorities } = earlier;
  const names = new Set([...Object.keys(answers.options), ...Object.keys(set)]);
  return {
    ...options,
    stack: answers.stack,
    cpus: options.cpus ?? String(answers.machine.cpus),
    url: options.url ?? answers.url,
    timezone: options.timezone ?? answers.timezone,
    output: options.output ?? answers.outputs,
    with: [...new Set([...answers.extra, ...(options.with ?? [])])],
    authority: options.authority ?? (authorities.length === 0 ? undefined : authorities),
    sshKeys: options.sshKey === undefined ? answers.sshKeys : readSshKeys(options),
    options: Object.fromEntries([...names].map((name) => [name, { ...answers.options[name], ...set[name] }])),
  };
}

/** Without earlier options of what is not chosen any more; one that a flag names stays, to be told. */
function withoutIdle(answers: Answers, stack: StackData, { set = [] }: GivenOptions, catalogue: Catalogue): Answers {
  const named = Object.keys(settings(set, catalogue));
  const names = [...named, ...chosenComponents(catalogue, stack, answers).map(({ data }) => data.name)];
  return { ...answers, options: Object.fromEntries(Object.entries(answers.options).filter(([name]) => names.includes(name))) };
}

/** Asks for the options of what was chosen, if they are wanted. */
async function withOptions(answers: Answers, stack: StackData, catalogue: Catalogue): Promise<Answers> {
  const asked = optionQuestions(...optionsOf(answers, stack, catalogue));
  if (asked.length === 0 || !(await confirm(`Look at ${asked.length} settings of the components?`, false))) return answers;
  const options = structuredClone(answers.options) as Record<string, Record<string, OptionValue>>;
  for (const { component, option, question, toValue } of asked) {
    const value = toValue(await ask(question));
    if (value !== toValue(question.default)) options[component] = { ...options[component], [option]: value };
  }
  return { ...answers, options };
}

function optionsOf(answers: Answers, stack: StackData, catalogue: Catalogue): Parameters<typeof optionQuestions> {
  const components = chosenComponents(catalogue, stack, answers);
  return [components, resolveOptions(components, stack.options, answers)];
}

/** The questions, of which those for the memory and for several parts know what was chosen before them. */
function askedInTurn(questions: readonly Question[], given: Given, catalogue: Catalogue): Question[] {
  const whyWrong = ({ id, kind }: Question, value: string, before: ReadonlyMap<string, Answer>): string | undefined => {
    const answer = kind === 'several' ? value.split(',') : value;
    const answered = new Map<string, Answer>([...presetsOf(questions), ...before, [id, answer]]);
    const answers = assemble(answered, String(answered.get('base')), given);
    const own = ({ path: at }: WrongAnswer): boolean => at.slice(0, 2).join('.') === id;
    return wrongAnswers(catalogue, answers).find(own)?.message;
  };
  return questions.map((question) =>
    question.id !== 'machine.memory' && question.kind !== 'several'
      ? question
      : {
          ...question,
          whyWrong: (value, before) =>
            question.whyWrong?.(value) ?? (before === undefined ? undefined : whyWrong(question, value, before)),
        },
  );
}

const presetsOf = (questions: readonly Question[]): (readonly [string, Answer])[] =>
  questions.map(({ id, default: preset }) => [id, preset] as const);

/** What the answers come to so far, with the presets for what is still to be asked. */
function estimated(
  answered: readonly (readonly [string, Answer])[],
  stack: StackData,
  given: Given,
  catalogue: Catalogue,
): string | undefined {
  const answers = assemble(new Map(answered), '', given);
  const chosen = catalogue.bases.get(String(new Map(answered).get('base')));
  // which one it will be is only known when its archive was asked
  const base = chosen ?? [...catalogue.bases.values()].find(({ size }) => size !== undefined);
  const estimate = base === undefined ? undefined : estimateOf(base, chosenComponents(catalogue, stack, answers));
  return estimate === undefined ? undefined : estimateText(estimate);
}

async function confirm(message: string, preset = true): Promise<boolean> {
  return (await ask({ id: 'confirm', flag: 'yes', message, kind: 'yes-no', default: preset })) === true;
}

function assemble(answered: ReadonlyMap<string, Answer>, base: string, options: Given): Answers {
  const text = (id: string): string => String(answered.get(id) ?? '');
  const choices = [...answered]
    .filter(([id]) => id.startsWith('choices.'))
    .map(([id, answer]) => [id.slice('choices.'.length), Array.isArray(answer) ? answer : [String(answer)]]);
  return answersSchema.parse({
    version: 1,
    name: text('name'),
    hostname: text('hostname'),
    base,
    choices: Object.fromEntries(choices),
    extra: options.with ?? [],
    stack: options.stack,
    options: options.options,
    machine: {
      memory: text('machine.memory'),
      systemDisk: text('machine.systemDisk'),
      dataDisk: text('machine.dataDisk'),
      cpus: processors(options),
    },
    // a mistyped one has been told by then
    ...(options.output === undefined ? {} : { outputs: outputFormats.filter((it) => options.output?.includes(it)) }),
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(options.timezone === undefined ? {} : { timezone: options.timezone }),
    ...(options.authority === undefined ? {} : { authorities: options.authority.map(authorityCopy) }),
    ...(options.sshKeys === undefined ? {} : { sshKeys: options.sshKeys }),
  });
}
