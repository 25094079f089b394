import { constants, copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { writeFileAtomically } from '../kernel/atomic-file.ts';
import { makeFolder } from '../kernel/folder.ts';
import type { Answers } from '../plan/answers.ts';

/**
 * Writes DIR/devserver.yaml. Another one that was there is kept beside, under a name nothing has: whoever edited it loses
 * nothing, however often a server is made anew in DIR. It stays where it is if the new one can't be written.
 * @returns the file the earlier answers are in, if they were others.
 */
export function writeAnswers(dir: string, answers: Answers): string | undefined {
  const file = answersFile(dir);
  makeFolder(dir);
  const earlier = replacedAnswers(dir, answers);
  if (earlier !== undefined) copyFileSync(file, earlier, constants.COPYFILE_EXCL);
  try {
    writeFileAtomically(file, answersText(answers), 0o644);
  } catch (error) {
    if (earlier !== undefined) rmSync(earlier);
    throw error;
  }
  return earlier;
}

/** Where `writeAnswers` would keep the answers that are there; undefined when there are none, or the same. */
export function replacedAnswers(dir: string, answers: Answers): string | undefined {
  const file = answersFile(dir);
  if (!existsSync(file) || readFileSync(file, 'utf8') === answersText(answers)) return undefined;
  let name = `${file}.old`;
  for (let count = 1; existsSync(name); count += 1) name = `${file}.old.${count}`;
  return name;
}

/** The text of a file of answers. */
export function answersText(answers: Answers): string {
  const heading = '# What create-devserver asked; edit it and run `create-devserver build` again.\n';
  // a key stays in one line, as it is copied and compared
  return heading + stringify(answers, { lineWidth: 0 });
}

function answersFile(dir: string): string {
  return path.join(dir, answersName);
}

/** The name of such a file. */
export const answersName = 'devserver.yaml';
