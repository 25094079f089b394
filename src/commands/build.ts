import path from 'node:path';
import { ensureHostTools } from '../host-setup.ts';
import { buildImage } from '../image/build.ts';
import type { Plan } from '../plan/plan.ts';
import { size } from '../terminal/plain.ts';
import { readAnswers } from './answers-file.ts';
import { type CommandContext, type CommonOptions, requireFolders } from './context.ts';
import { makePlan, planAsJson, showPlan } from './make-plan.ts';

/** `build DIR`: the disk image of DIR/devserver.yaml, in DIR/out. */
export async function runBuild(dir: string, options: CommonOptions, context: CommandContext, made?: Plan): Promise<void> {
  const { output, system, cache } = context;
  const given = readAnswers(dir, context.catalogue());
  const { answers } = given;
  const plan = made ?? (await makePlan(given, context));
  if (options.dryRun === true) {
    output.result(showPlan(plan, answers), { plan: planAsJson(plan) });
    return;
  }
  requireFolders(dir, cache);
  await ensureHostTools(system, output.report);
  const begun = performance.now();
  const image = await buildImage(plan, {
    dir: path.resolve(dir),
    cache,
    system,
    signal: context.signal,
    report: output.report,
    outputs: ['raw', 'qcow2'],
    mirrors: {
      ...(options.mavenMirror === undefined ? {} : { maven: options.mavenMirror }),
      ...(options.npmMirror === undefined ? {} : { npm: options.npmMirror }),
      ...(options.pypiMirror === undefined ? {} : { pypi: options.pypiMirror }),
    },
  });
  const seconds = Math.round((performance.now() - begun) / 100) / 10;
  output.result(
    `${path.join(dir, 'out')}: ${plan.name}, ${size(image.bytes.qcow2) ?? ''} as system.qcow2, built in ${seconds} s`,
    { ...image, seconds },
  );
}
