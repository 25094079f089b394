import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { exitCodes, UserError } from '../errors.ts';
import { memberRoles, projectName } from '../project.ts';
import type { Answer, Question } from '../question.ts';
import type { Api } from './api.ts';
import { type ProjectAnswer, projectSummary } from './show-project.ts';

export interface NewProjectOptions {
  readonly vcs?: string;
  readonly title?: string;
  readonly description?: string;
  readonly member?: readonly string[];
  readonly visibility?: string;
  readonly template?: string;
  /** false with --no-maven. */
  readonly maven?: boolean;
  readonly ci?: boolean;
  readonly protect?: boolean;
  readonly file?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** What the command needs from outside. */
export interface NewProjectContext {
  readonly api: Api;
  readonly terminal: boolean;
  readonly ask: (question: Question) => Promise<Answer>;
  /** Each line of progress. */
  readonly onLine: (line: Record<string, unknown>) => void;
  /** No more lines will come. */
  readonly endOfLines: () => void;
  readonly result: (text: string, value: Readonly<Record<string, unknown>>) => void;
}

/** What of a project is told by `--file` and by flags; flags win. @throws UserError */
export function requestOf(name: string | undefined, options: NewProjectOptions): Record<string, unknown> {
  return { ...fromFile(options.file), ...fromOptions(name, options) };
}

/** `newproject`: asks what the request lacks, has the project made, and tells where everything is. */
export async function newProject(
  request: Record<string, unknown>,
  options: NewProjectOptions,
  context: NewProjectContext,
): Promise<void> {
  const whole = await completed(request, options, context);
  const begun = performance.now();
  if (options.dryRun === true) {
    const plan = await context.api.send<{ steps: string[] }>('POST', '/projects?dryRun=true', whole);
    context.result(plan.steps.map((step) => `would ${step}`).join('\n'), { dryRun: true, steps: plan.steps });
    return;
  }
  const answer = await context.api.follow<ProjectAnswer>('POST', '/projects', whole, context.onLine).finally(context.endOfLines);
  const seconds = Math.round(performance.now() - begun) / 1000;
  context.result(projectSummary(answer, seconds), { ...answer, seconds });
}

/** `USER[:admin|developer|reader]`; developer when nothing is said. @throws UserError */
export function parseMember(text: string): [string, string] {
  const [user = '', role = 'developer', ...rest] = text.split(':');
  if (rest.length === 0 && user !== '' && memberRoles.some((it) => it === role)) return [user, role];
  throw new UserError(`--member ${text} is not understood`, {
    hint: `USER or USER:ROLE, where ROLE is ${memberRoles.join(', ')}`,
    exitCode: exitCodes.usage,
  });
}

function fromFile(file: string | undefined): Record<string, unknown> {
  if (file === undefined) return {};
  if (!existsSync(file)) throw new UserError(`there is no file ${file}`, { exitCode: exitCodes.usage });
  try {
    const value: unknown = parse(readFileSync(file, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new Error('it holds no keys');
  } catch (error) {
    throw new UserError(`${file} can't be read: ${(error as Error).message}`, { exitCode: exitCodes.badData });
  }
}

function fromOptions(name: string | undefined, options: NewProjectOptions): Record<string, unknown> {
  const { vcs, title, description, visibility, template, maven, ci, protect } = options;
  const given = {
    name,
    ...{ vcs, title, description, visibility, template },
    maven: maven === false ? false : undefined,
    ci: ci === false ? false : undefined,
    protectBranch: protect === false ? false : undefined,
    members: options.member === undefined ? undefined : Object.fromEntries(options.member.map(parseMember)),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Called bare at a terminal it asks; elsewhere a missing name is told. */
async function completed(
  request: Record<string, unknown>,
  options: NewProjectOptions,
  { api, terminal, ask }: NewProjectContext,
): Promise<Record<string, unknown>> {
  if (request.name !== undefined) return request;
  if (!terminal || options.yes === true)
    throw new UserError('newproject needs a name', {
      hint: 'newproject NAME, or newproject --file FILE',
      exitCode: exitCodes.usage,
    });
  const templates = await api.get<{ name: string; title: string; lacks: string[] }[]>('/templates');
  const { vcs, parts } = await api.get<{ vcs: string[]; parts: string[] }>('/offer');
  const answers: Record<string, unknown> = { ...request };
  for (const question of questions(
    vcs,
    parts,
    templates.filter(({ lacks }) => lacks.length === 0),
  ))
    if (answers[question.id] === undefined) answers[question.id] = await ask(question);
  const { members } = answers;
  return typeof members === 'string' ? { ...answers, members: membersIn(members) } : answers;
}

/** `ann bob:reader`, with spaces or commas. */
function membersIn(text: string): Record<string, string> {
  const words = text.split(/[\s,]+/).filter((it) => it !== '');
  return Object.fromEntries(words.map(parseMember));
}

function questions(
  vcs: readonly string[],
  parts: readonly string[],
  templates: readonly { name: string; title: string }[],
): Question[] {
  const plain = (values: readonly string[]) => values.map((value) => ({ value, label: value }));
  const nameFault = (value: string): string | undefined => projectName.safeParse(value).error?.issues[0]?.message;
  return [
    { id: 'name', flag: 'name', message: 'Name, as in its addresses', kind: 'text', default: '', whyWrong: nameFault },
    {
      id: 'title',
      flag: 'title',
      message: 'Title',
      kind: 'text',
      default: '',
      whyWrong: (it) => (it.trim() === '' ? 'a title needs a character' : undefined),
    },
    {
      id: 'vcs',
      flag: 'vcs',
      message: 'Version control',
      kind: 'one',
      choices: plain(vcs),
      default: vcs.includes('git') ? 'git' : (vcs[0] ?? ''),
    },
    {
      id: 'template',
      flag: 'template',
      message: 'Start from',
      kind: 'one',
      choices: templates.map(({ name, title }) => ({ value: name, label: title })),
      default: 'empty',
    },
    {
      id: 'visibility',
      flag: 'visibility',
      message: 'Who may read',
      kind: 'one',
      choices: [
        { value: 'private', label: 'its members' },
        { value: 'internal', label: 'every login' },
      ],
      default: 'private',
    },
    { id: 'members', flag: 'member', message: 'Members (ann bob:reader …)', kind: 'text', default: '' },
    ...parts.map((part): Question => ({ id: part, flag: part, message: `With ${part}?`, kind: 'yes-no', default: true })),
  ];
}
