import { exitCodes, UserError } from '../kernel/errors.ts';
import { didYouMean } from '../kernel/nearest.ts';
import type { Answer, Question } from '../kernel/question.ts';
import { refuseFlags, type WrongFlag } from './wrong-flag.ts';

export interface WizardInput {
  readonly questions: readonly Question[];
  /** Answers by flag, from the command line. */
  readonly given: ReadonlyMap<string, string>;
  /** What was found wrong with flags that answer no question. */
  readonly wrongOthers: readonly WrongFlag[];
  /** Take the default of everything not given. */
  readonly yes: boolean;
  readonly terminal: boolean;
  readonly ask: (question: Question) => Promise<Answer>;
  /** Hears what has been answered so far, behind each question that was asked. */
  readonly answered?: (question: Question, answers: ReadonlyMap<string, Answer>) => void;
}

/**
 * Answers every question: by flag, by --yes, or by asking. Nothing is asked before every flag is right.
 * @throws UserError with exit code 2 for all wrong flags, or naming all missing ones where nobody can be asked.
 */
export async function answerQuestions(input: WizardInput): Promise<ReadonlyMap<string, Answer>> {
  const { questions, given, yes, terminal, ask } = input;
  const wrong = [...questions.flatMap((question) => wrongFlag(question, given.get(question.flag))), ...input.wrongOthers];
  if (wrong.length > 0) throw refuseFlags(wrong);
  const missing = questions.filter(({ flag }) => !given.has(flag));
  if (missing.length > 0 && !yes && !terminal) {
    throw new UserError(`nobody is there to ask for ${missing.map(({ flag }) => `--${flag}`).join(', ')}`, {
      exitCode: exitCodes.usage,
      hint: 'give these flags, or --yes to take the defaults',
    });
  }
  const answers = new Map<string, Answer>();
  for (const question of questions) {
    const text = given.get(question.flag);
    if (text !== undefined) answers.set(question.id, question.kind === 'several' ? words(text) : text);
    else if (yes) answers.set(question.id, question.default);
    else {
      answers.set(question.id, await ask(knowing(question, answers)));
      input.answered?.(question, answers);
    }
  }
  return answers;
}

/** The question as it is asked after these answers. */
function knowing(question: Question, before: ReadonlyMap<string, Answer>): Question {
  const { whyWrong } = question;
  return whyWrong === undefined ? question : { ...question, whyWrong: (value) => whyWrong(value, before) };
}

function wrongFlag(question: Question, text: string | undefined): WrongFlag[] {
  if (text === undefined) return [];
  const flag = `--${question.flag} ${text}`;
  if (question.kind !== 'text') return notAmong(question, text).map((wrong) => ({ flag, ...wrong }));
  const message = question.whyWrong?.(text);
  return message === undefined ? [] : [{ flag, message, hint: undefined }];
}

function notAmong(question: Question, text: string): Pick<WrongFlag, 'message' | 'hint'>[] {
  const allowed = question.choices?.map(({ value }) => value) ?? [];
  const given = question.kind === 'several' ? words(text) : [text];
  return given
    .filter((value) => !allowed.includes(value))
    .map((value) => ({ message: `"${value}" is not one of ${allowed.join(', ')}`, hint: didYouMean(value, allowed) }));
}

function words(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
