import type { StackData } from '../kernel/catalogue/base-schema.ts';
import type { Catalogue } from '../kernel/catalogue/load.ts';
import type { Question } from '../kernel/question.ts';
import { type Answers, answersSchema } from '../plan/answers.ts';

/** The questions of the stack: the machine's own, then one per choice of the stack. Earlier answers are their defaults. */
export function questionsFor(catalogue: Catalogue, stack: StackData, earlier?: Answers): Question[] {
  const questions = plainQuestions(catalogue, stack);
  return earlier === undefined
    ? questions
    : questions.map((question) => ({ ...question, default: earlierOf(question, earlier) }));
}

function earlierOf({ id, kind, default: preset }: Question, answers: Answers): Question['default'] {
  const [part = '', name = ''] = id.split('.');
  if (part === 'machine') return answers.machine[name as 'memory'];
  if (part !== 'choices') return answers[part as 'name' | 'hostname' | 'base'];
  const chosen = answers.choices[name];
  return chosen === undefined ? preset : kind === 'several' ? chosen : (chosen[0] ?? 'none');
}

function plainQuestions(catalogue: Catalogue, stack: StackData): Question[] {
  const { name, hostname, machine } = answersSchema.shape;
  const text = (id: string, flag: string, message: string, preset: string, schema: SafeParser): Question => ({
    id,
    flag,
    message,
    kind: 'text',
    default: preset,
    whyWrong: (value) => firstIssue(schema, value),
  });
  return [
    text('name', 'name', 'Name of the server', 'devserver', name),
    text('hostname', 'hostname', 'Host name', 'devserver', hostname),
    {
      id: 'base',
      flag: 'base',
      message: 'Base',
      kind: 'one',
      default: 'auto',
      choices: [
        { value: 'auto', label: 'auto (Ubuntu where its archive answers, else Debian)' },
        ...[...catalogue.bases.values()].map((base) => ({
          value: base.name,
          label: `${base.title}${base.unproven === undefined ? '' : ' (unproven)'}`,
        })),
      ],
    },
    ...stack.choices.map(
      (choice): Question => ({
        id: `choices.${choice.id}`,
        flag: choice.id,
        message: choice.question,
        kind: choice.several ? 'several' : 'one',
        choices: choice.of.map((value) => ({ value, label: labelOf(catalogue, value), ...aboutOf(catalogue, value) })),
        default: choice.several ? choice.default : (choice.default[0] ?? 'none'),
      }),
    ),
    text('machine.memory', 'memory', 'Memory of the machine', '3G', machine.shape.memory),
    text('machine.systemDisk', 'system-disk', 'Size of the system disk', '4G', machine.shape.systemDisk),
    text('machine.dataDisk', 'data-disk', 'Size of the data disk', '20G', machine.shape.dataDisk),
  ];
}

interface SafeParser {
  readonly safeParse: (value: unknown) => { success: boolean; error?: { issues: readonly { message: string }[] } | undefined };
}

function firstIssue(schema: SafeParser, value: string): string | undefined {
  const result = schema.safeParse(value);
  return result.success ? undefined : result.error?.issues[0]?.message;
}

function labelOf(catalogue: Catalogue, name: string): string {
  const component = catalogue.components.get(name)?.data;
  if (component === undefined) return name;
  const remark = component.support.retired
    ? ' - retired upstream'
    : component.support.unproven === undefined
      ? ''
      : ' - unproven';
  return `${component.title}${remark}`;
}

/** Why something retired may be taken all the same, and what there is instead. */
function aboutOf(catalogue: Catalogue, name: string): { about?: string } {
  const support = catalogue.components.get(name)?.data.support;
  if (support?.retired !== true) return {};
  const { protectedBy = 'nothing', instead } = support;
  return { about: `retired upstream; protected by: ${protectedBy}${instead === undefined ? '' : `; instead: ${instead}`}` };
}
