import type { StackData } from '../kernel/catalogue/base-schema.ts';
import type { Catalogue } from '../kernel/catalogue/load.ts';
import type { Question } from '../kernel/question.ts';
import { answersSchema } from '../plan/answers.ts';

/** The questions of the stack: the machine's own, then one per choice of the stack. */
export function questionsFor(catalogue: Catalogue, stack: StackData): Question[] {
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
        choices: choice.of.map((value) => ({ value, label: labelOf(catalogue, value) })),
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
