import { existsSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../kernel/errors.ts';
import type { Answers } from '../plan/answers.ts';
import { readAnswers, readAnswersFile } from './answers-file.ts';
import type { CommandContext } from './context.ts';
import { answersName } from './kept-answers.ts';

/** Answers that a wizard begins with. */
export interface EarlierAnswers {
  readonly answers: Answers;
  /** Files of authorities that the answers name, by their full paths. */
  readonly authorities: readonly string[];
}

/**
 * The answers of `config`, otherwise those of an earlier run in DIR. What DIR holds and can't be taken is told and left aside
 * where everything will be asked.
 * @throws UserError where nothing will be: defaults in their place would be another server.
 */
export function earlierAnswers(
  dir: string,
  config: string | undefined,
  isAsked: boolean,
  context: CommandContext,
): EarlierAnswers | undefined {
  const named = (answers: Answers, folder: string): string[] =>
    (answers.authorities ?? []).map((file) => path.resolve(folder, file));
  if (config !== undefined) {
    const { answers } = readAnswersFile(config, context.catalogue());
    return { answers, authorities: named(answers, path.dirname(config)) };
  }
  if (!existsSync(path.join(dir, answersName))) return undefined;
  try {
    const { answers } = readAnswers(dir, context.catalogue());
    return { answers, authorities: named(answers, dir) };
  } catch (error) {
    if (!isAsked || !(error instanceof UserError)) throw error;
    context.output.report({ type: 'warning', text: `the earlier answers are not taken: ${error.message}` });
    return undefined;
  }
}
