import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { Catalogue } from '../kernel/catalogue/load.ts';
import { DataError, type Fault } from '../kernel/errors.ts';
import { inOrder, readYaml, type YamlFile } from '../kernel/yaml-file.ts';
import { type Answers, answersSchema } from '../plan/answers.ts';
import { namedAnswersSchema, type Refuse, type WrongAnswer, wrongAnswers, wrongNames } from '../plan/wrong-answers.ts';
import { wrongAuthorityFiles } from './authorities.ts';
import { asNamed, requireServer } from './server-folder.ts';

/** Answers, and how to tell one that the catalogue does not take: by its line or by its flag. */
export interface GivenAnswers {
  readonly answers: Answers;
  readonly refuse: Refuse;
}

/**
 * DIR/devserver.yaml: its form, the files it names and, with a catalogue, the names in it. A file of the wrong form is
 * searched for the rest all the same.
 * @throws UserError when it is missing or closed, DataError with everything that is wrong.
 */
export function readAnswers(dir: string, catalogue?: Catalogue): GivenAnswers {
  requireServer(dir);
  return readAnswersFile(path.join(dir, 'devserver.yaml'), catalogue);
}

/** The same of any file; those it names lie beside it. */
export function readAnswersFile(file: string, catalogue?: Catalogue): GivenAnswers {
  const dir = path.dirname(file);
  const result = readYaml(
    file,
    asNamed(() => readFileSync(file, 'utf8')),
    answersSchema,
  );
  const read: YamlFile<unknown> | undefined = 'yaml' in result ? result.yaml : result.raw;
  const placed = (wrong: readonly WrongAnswer[]): Fault[] =>
    read === undefined ? [] : wrong.map(({ path, message, hint }) => read.faultAt(path, message, hint));
  const wrong = placed([...wrongAuthorityFiles(dir, namedFiles.parse(read?.value).authorities), ...wrongIn(result, catalogue)]);
  if ('faults' in result) throw new DataError(inOrder([...result.faults, ...wrong]));
  if (wrong.length > 0) throw new DataError(inOrder(wrong));
  return { answers: result.yaml.value, refuse: (others) => new DataError(inOrder(placed(others))) };
}

/** What of any value names files. */
const namedFiles = z
  .object({ authorities: z.array(z.string().optional().catch(undefined)).catch([]) })
  .catch({ authorities: [] });

function wrongIn(result: ReturnType<typeof readYaml<typeof answersSchema>>, catalogue: Catalogue | undefined): WrongAnswer[] {
  if (catalogue === undefined) return [];
  if ('yaml' in result) return wrongAnswers(catalogue, result.yaml.value);
  return result.raw === undefined ? [] : wrongNames(catalogue, namedAnswersSchema.parse(result.raw.value));
}
