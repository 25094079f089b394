import path from 'node:path';
import { keptPrograms } from '../image/kept-programs.ts';
import type { BaseData } from '../kernel/catalogue/base-schema.ts';
import type { Lock } from '../lock/lock-file.ts';
import type { Answers } from '../plan/answers.ts';
import { archiveAnswers } from '../plan/base.ts';
import { type CompileInput, compilePlan } from '../plan/compile.ts';
import { estimateText } from '../plan/estimate.ts';
import { type MachineNeeds, machineNeeds } from '../plan/onto-machine.ts';
import type { Plan } from '../plan/plan.ts';
import { findPockets, type Pocket } from '../plan/pockets.ts';
import { select } from '../plan/select.ts';
import type { GivenAnswers } from './answers-file.ts';
import type { CommandContext } from './context.ts';

/**
 * Bundles the appliance's programs and compiles the plan for the answers.
 * @param frozen a lock that says which suites with updates there are, so that no mirror is asked.
 */
export async function makePlan(given: GivenAnswers, context: CommandContext, frozen?: Lock): Promise<Plan> {
  const { mirror } = context.options;
  const input = await compileInput(given, context);
  return compilePlan({
    ...input,
    ...(mirror === undefined
      ? {}
      : { mirror, pockets: frozen?.sources.slice(1) ?? (await pocketsOf(input.selection.base, mirror, context)) }),
  });
}

/** What every plan of these answers is compiled from. */
async function compileInput({ answers, refuse }: GivenAnswers, context: CommandContext): Promise<CompileInput> {
  const selection = select(context.catalogue(), answers, refuse);
  const programs = await keptPrograms(context.root, selection.components, context.cache);
  return { selection, answers, programs, templates: path.join(context.root, 'templates') };
}

/** A plan for a machine that has a system of its own, which takes packages from where it has its own; and what it must have. */
export async function makeMachinePlan(
  given: GivenAnswers,
  context: CommandContext,
): Promise<{ plan: Plan; needs: MachineNeeds }> {
  const input = await compileInput(given, context);
  return { plan: compilePlan({ ...input, ontoMachine: true }), needs: machineNeeds(input.selection, given.answers) };
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
    ...(plan.estimate === undefined ? [] : [`  size        ${estimateText(plan.estimate)}`]),
    `  machine     ${machine.memory} memory, ${machine.cpus} processors, system disk ${machine.systemDisk}, data disk ${machine.dataDisk}`,
  ].join('\n');
}

/** The plan as JSON: contents of files as text where they are text. */
export function planAsJson(plan: Plan): Record<string, unknown> {
  const files = plan.files.map((file) => (file.kind === 'file' ? { ...file, content: `${file.content.length} bytes` } : file));
  return { ...plan, files };
}
