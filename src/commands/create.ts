import path from 'node:path';
import { ask } from '../kernel/ask.ts';
import { type Catalogue, choose } from '../kernel/catalogue/load.ts';
import type { Answer, Question } from '../kernel/question.ts';
import { type Answers, answersSchema } from '../plan/answers.ts';
import { archiveAnswers, chooseBase } from '../plan/base.ts';
import { wrongAnswers } from '../plan/wrong-answers.ts';
import { asCalled } from '../terminal/called-as.ts';
import { questionsFor } from '../wizard/questions.ts';
import { answerQuestions } from '../wizard/wizard.ts';
import { refuseFlags, type WrongFlag } from '../wizard/wrong-flag.ts';
import { authorityCopy, copyAuthorities } from './authorities.ts';
import { runBuild } from './build.ts';
import { type CommandContext, requireFolders } from './context.ts';
import { asFlags, type CreateOptions, givenFlags, processors, settings, wrongOtherFlags } from './flags.ts';
import { replacedAnswers, writeAnswers } from './kept-answers.ts';
import { makePlan, planAsJson, showPlan } from './make-plan.ts';
import { requireFolder } from './server-folder.ts';
import { readSshKeys, type SshKeyOptions, wrongSshKeys } from './ssh-keys.ts';
import { runUp } from './up.ts';

/**
 * `create-devserver [DIR]`: asks, shows the plan, writes DIR/devserver.yaml, builds, offers to boot.
 * @param wrongParsed what was found wrong with flags before, to be told with the rest.
 */
export async function runCreate(
  dir: string,
  options: CreateOptions & SshKeyOptions,
  context: CommandContext,
  wrongParsed: readonly WrongFlag[],
): Promise<void> {
  const { catalogue, output } = context;
  requireFolder(dir);
  if (options.dryRun !== true) requireFolders(dir, context.cache);
  const questions = askedInTurn(questionsFor(catalogue(), choose('stack', catalogue().stacks, 'default')), options, catalogue());
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true && !output.json;
  const answered = await answerQuestions({
    questions,
    given: givenFlags(questions, options),
    wrongOthers: [...wrongOtherFlags(options, catalogue()), ...wrongSshKeys(options), ...wrongParsed],
    yes: options.yes === true,
    terminal,
    ask,
  });
  const base = await chooseBase(catalogue().bases, String(answered.get('base')), options.mirror, archiveAnswers);
  output.report({ type: 'note', text: `base ${base.name}: ${base.why}` });
  const answers = assemble(answered, base.name, options, settings(options.set ?? [], catalogue()));
  const plan = await makePlan({ answers, refuse: (wrong) => refuseFlags(asFlags(wrong, options)) }, context);
  const replaced = replacedAnswers(dir, answers);
  const isAsked = terminal && options.yes !== true;
  if (replaced !== undefined && (options.dryRun === true || isAsked)) {
    const text = `would replace ${path.join(dir, 'devserver.yaml')} and keep the earlier as ${replaced}`;
    output.report({ type: 'note', text });
  }
  if (options.dryRun === true) {
    output.result(showPlan(plan, answers), { plan: planAsJson(plan) });
    return;
  }
  output.report({ type: 'note', text: showPlan(plan, answers) });
  if (isAsked && !(await confirm('Build it?'))) {
    output.report({ type: 'note', text: 'nothing was done' });
    return;
  }
  copyAuthorities(dir, options.authority ?? []);
  const kept = writeAnswers(dir, answers);
  if (kept !== undefined) output.report({ type: 'note', text: `the earlier answers are kept as ${kept}` });
  await runBuild(dir, options, context, plan);
  const boot = options.up === true || (isAsked && (await confirm('Start it now?')));
  if (boot) await runUp(dir, { ...options, backend: 'auto', wait: true }, context);
  else output.report({ type: 'note', text: asCalled(`start it with: create-devserver up ${dir} --wait`) });
}

/** The questions, of which the one for the memory knows what the parts chosen before it need. */
function askedInTurn(questions: readonly Question[], options: CreateOptions, catalogue: Catalogue): Question[] {
  const presets = questions.map(({ id, default: preset }) => [id, preset] as const);
  const tooLittle = (value: string, before: ReadonlyMap<string, Answer>): string | undefined => {
    const answered = new Map<string, Answer>([...presets, ...before, ['machine.memory', value]]);
    const answers = assemble(answered, String(answered.get('base')), options, settings(options.set ?? [], catalogue));
    return wrongAnswers(catalogue, answers).find(({ path: at }) => at.join('.') === 'machine.memory')?.message;
  };
  return questions.map((question) =>
    question.id !== 'machine.memory'
      ? question
      : {
          ...question,
          whyWrong: (value, before) =>
            question.whyWrong?.(value) ?? (before === undefined ? undefined : tooLittle(value, before)),
        },
  );
}

async function confirm(message: string): Promise<boolean> {
  return (await ask({ id: 'confirm', flag: 'yes', message, kind: 'yes-no', default: true })) === true;
}

function assemble(
  answered: ReadonlyMap<string, Answer>,
  base: string,
  options: CreateOptions & SshKeyOptions,
  set: Answers['options'],
): Answers {
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
    options: set,
    machine: {
      memory: text('machine.memory'),
      systemDisk: text('machine.systemDisk'),
      dataDisk: text('machine.dataDisk'),
      cpus: processors(options),
    },
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(options.timezone === undefined ? {} : { timezone: options.timezone }),
    ...(options.authority === undefined ? {} : { authorities: options.authority.map(authorityCopy) }),
    ...(options.sshKey === undefined ? {} : { sshKeys: readSshKeys(options) }),
  });
}
