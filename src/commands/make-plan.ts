import path from 'node:path';
import { bundlePrograms } from '../image/programs.ts';
import type { BaseData } from '../kernel/catalogue/base-schema.ts';
import type { Answers } from '../plan/answers.ts';
import { archiveAnswers } from '../plan/base.ts';
import { compilePlan } from '../plan/compile.ts';
import type { Plan } from '../plan/plan.ts';
import { findPockets, type Pocket } from '../plan/pockets.ts';
import { select } from '../plan/select.ts';
import type { GivenAnswers } from './answers-file.ts';
import type { CommandContext } from './context.ts';

/** Bundles the appliance's programs and compiles the plan for the answers. */
export async function makePlan({ answers, refuse }: GivenAnswers, context: CommandContext): Promise<Plan> {
  const { mirror } = context.options;
  const selection = select(context.catalogue(), answers, refuse);
  const programs = await bundlePrograms(context.root, selection.components);
  return compilePlan({
    selection,
    answers,
    programs,
    templates: path.join(context.root, 'templates'),
    ...(mirror === undefined ? {} : { mirror, pockets: await pocketsOf(selection.base, mirror, context) }),
  });
}

/** The mirror's suites with updates; what it lacks is told, since the server will never have it. */
async function pocketsOf(base: BaseData, mirror: string, { output }: CommandContext): Promise<readonly Pocket[]> {
  const { there, missing } = await findPockets(base, mirror, archiveAnswers);
  for (const { url, suite } of missing) {
    output.report({
      type: 'warning',
      text: `${url} has no ${suite}: neither the image nor the server later gets updates from it`,
    });
  }
  return there;
}

/** The plan for people: what will be done, before anything is. */
export function showPlan(plan: Plan, answers: Answers): string {
  const { machine } = answers;
  const downloads = plan.downloads.map(({ component, source }) => `    ${component}: ${Object.values(source).join(' ')}`);
  return [
    `${plan.name} (${plan.hostname}) on ${plan.base.title}`,
    `  components  ${plan.components.map(({ title }) => title).join(', ')}`,
    `  packages    ${plan.layer.packages.length} named, with what they depend on`,
    `  downloads   ${plan.downloads.length}, each pinned by its digest`,
    ...downloads,
    `  files       ${plan.files.length} of our own`,
    `  machine     ${machine.memory} memory, ${machine.cpus} processors, system disk ${machine.systemDisk}, data disk ${machine.dataDisk}`,
  ].join('\n');
}

/** The plan as JSON: contents of files as text where they are text. */
export function planAsJson(plan: Plan): Record<string, unknown> {
  const files = plan.files.map((file) => (file.kind === 'file' ? { ...file, content: `${file.content.length} bytes` } : file));
  return { ...plan, files };
}
