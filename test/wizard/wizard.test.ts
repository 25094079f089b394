import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/kernel/errors.ts';
import type { Answer, Question } from '../../src/kernel/question.ts';
import { questionsFor } from '../../src/wizard/questions.ts';
import { answerQuestions } from '../../src/wizard/wizard.ts';
import type { WrongFlag } from '../../src/wizard/wrong-flag.ts';
import { realCatalogue } from '../support/real.ts';

const catalogue = realCatalogue();
const stack = catalogue.stacks.get('default');
if (stack === undefined) throw new Error('there is no default stack');
const questions = questionsFor(catalogue, stack);

interface Setting {
  readonly given?: Record<string, string>;
  readonly wrongOthers?: readonly WrongFlag[];
  readonly yes?: boolean;
  readonly terminal?: boolean;
  readonly ask?: (question: Question) => Promise<Answer>;
}

const never = (question: Question): Promise<Answer> => Promise.reject(new Error(`asked for ${question.flag}`));
const answer = ({ given = {}, wrongOthers = [], yes = false, terminal = false, ask = never }: Setting) =>
  answerQuestions({ questions, given: new Map(Object.entries(given)), wrongOthers, yes, terminal, ask });

async function refusal(setting: Setting): Promise<UserError> {
  const error: unknown = await answer(setting).then(
    () => undefined,
    (it: unknown) => it,
  );
  if (error instanceof UserError) return error;
  throw error;
}

describe('the wizard', () => {
  it('asks for the machine, the base and each choice of the stack, every one with a flag', () => {
    expect(questions.map(({ flag }) => flag)).toEqual([
      'name',
      'hostname',
      'base',
      'vcs',
      'ci',
      'maven',
      'memory',
      'system-disk',
      'data-disk',
    ]);
    expect(new Set(questions.map(({ flag }) => flag)).size).toBe(questions.length);
  });

  it('says beside a choice what is retired or unproven', () => {
    const labels = questions.find(({ flag }) => flag === 'ci')?.choices?.map(({ label }) => label);
    expect(labels).toEqual(['Hudson 3.3.2 - retired upstream', 'Jenkins LTS - unproven', 'none']);
    expect(questions.find(({ flag }) => flag === 'base')?.choices?.map(({ label }) => label)).toContain(
      'Ubuntu 24.04 LTS (noble) (unproven)',
    );
  });

  it('takes every default with --yes and asks nothing', async () => {
    const answers = await answer({ yes: true });
    expect(Object.fromEntries(answers)).toEqual({
      name: 'devserver',
      hostname: 'devserver',
      base: 'auto',
      'choices.vcs': ['git', 'hg', 'svn'],
      'choices.ci': 'hudson',
      'choices.maven': 'archiva',
      'machine.memory': '3G',
      'machine.systemDisk': '4G',
      'machine.dataDisk': '20G',
    });
    for (const { id, whyWrong } of questions) expect(whyWrong?.(String(answers.get(id)))).toBeUndefined();
  });

  it('takes flags before defaults, lists with commas', async () => {
    const answers = await answer({ yes: true, given: { vcs: 'git, svn', ci: 'none', 'data-disk': '2G' } });
    expect(answers.get('choices.vcs')).toEqual(['git', 'svn']);
    expect(answers.get('choices.ci')).toBe('none');
    expect(answers.get('machine.dataDisk')).toBe('2G');
  });

  it('names all missing flags with exit code 2 when nobody can be asked', async () => {
    const error = await refusal({ given: { name: 'shop', base: 'debian-13', vcs: 'git' } });
    expect(error.message).toBe('nobody is there to ask for --hostname, --ci, --maven, --memory, --system-disk, --data-disk');
    expect(error.exitCode).toBe(2);
  });

  it('asks at a terminal only for what is missing', async () => {
    const asked: string[] = [];
    const given = Object.fromEntries(
      questions.filter(({ flag }) => flag !== 'ci' && flag !== 'name').map((it) => [it.flag, String(it.default)]),
    );
    const answers = await answer({
      given,
      terminal: true,
      ask: async (question) => {
        asked.push(question.flag);
        return question.flag === 'ci' ? 'jenkins' : 'shop';
      },
    });
    expect(asked).toEqual(['name', 'ci']);
    expect(answers.get('choices.ci')).toBe('jenkins');
  });

  it.each([
    ['name', 'Shop', 'must be lower case letters'],
    ['name', '', 'must be lower case letters'],
    ['hostname', 'a_b', 'must be a host name'],
    ['hostname', 'a..b', 'must be a host name'],
    ['hostname', 'x\nLoadModule', 'must be a host name'],
    ['base', 'debian-12', '"debian-12" is not one of auto, debian-13, ubuntu-24.04, ubuntu-26.04'],
    ['vcs', 'git,cvs', '"cvs" is not one of git, hg, svn'],
    ['ci', 'hudson,jenkins', 'is not one of hudson, jenkins, none'],
    ['memory', '3', 'must be a size'],
    ['memory', '0G', 'must be a size'],
    ['data-disk', '20T', 'must be a size'],
  ])('refuses --%s %j with exit code 2', async (flag, value, why) => {
    const error = await refusal({ yes: true, given: { [flag]: value } });
    expect(error.exitCode).toBe(2);
    expect(error.message.startsWith(`--${flag} ${value}: `)).toBe(true);
    expect(error.message).toContain(why);
  });

  it('tells what a flag nearly says', async () => {
    expect(await refusal({ yes: true, given: { ci: 'hudsn' } })).toMatchObject({
      message: '--ci hudsn: "hudsn" is not one of hudson, jenkins, none',
      hint: 'did you mean hudson?',
    });
  });

  it('tells all wrong flags at once, before anything is asked or missed', async () => {
    const wrongOthers = [{ flag: '--with x', message: 'there is no component "x"', hint: 'did you mean y?' }];
    for (const terminal of [true, false]) {
      const error = await refusal({ terminal, given: { ci: 'foo', vcs: 'got,cvs', memory: '3' }, wrongOthers });
      expect([error.message, error.exitCode]).toEqual(['5 flags are wrong', 2]);
      expect(error.details).toEqual([
        '--vcs got,cvs: "got" is not one of git, hg, svn (did you mean git?)',
        '--vcs got,cvs: "cvs" is not one of git, hg, svn',
        '--ci foo: "foo" is not one of hudson, jenkins, none',
        '--memory 3: must be a size such as 3072M or 20G',
        '--with x: there is no component "x" (did you mean y?)',
      ]);
    }
  });
});
