import { aptArchives, packagesFor } from '../image/resolve-lock.ts';
import { choose } from '../kernel/catalogue/load.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { makeFolder } from '../kernel/folder.ts';
import { didYouMean } from '../kernel/nearest.ts';
import { stage } from '../kernel/report.ts';
import { withApt } from '../lock/apt.ts';
import { answersSchema } from '../plan/answers.ts';
import { archiveAnswers } from '../plan/base.ts';
import { packageLayer } from '../plan/layer.ts';
import { findPockets } from '../plan/pockets.ts';
import { select } from '../plan/select.ts';
import type { CommandContext } from './context.ts';
import { imageContext } from './image-context.ts';

export interface BaseCheckOptions {
  readonly stack?: string;
}

/** What a base's archives lack for a stack. */
export interface BaseFindings {
  /** Suites with updates that a named mirror does not have. */
  readonly pockets: readonly string[];
  /** Packages that are named and not there. */
  readonly packages: readonly string[];
  /** What apt says when all named are there and yet don't fit together. */
  readonly unmet: readonly string[];
}

/** `base check NAME`: whether the archives have everything that the base and a stack take from them; nothing is built. */
export async function runBase(
  what: string,
  name: string,
  { stack = 'default' }: BaseCheckOptions,
  context: CommandContext,
): Promise<void> {
  if (what !== 'check')
    throw new UserError(`there is no base ${JSON.stringify(what)}`, {
      exitCode: exitCodes.usage,
      hint: didYouMean(what, ['check']) ?? 'base check NAME',
    });
  const findings = await stage(context.output.report, 'archives', async () => ({
    value: await findingsFor(name, stack, context),
  }));
  const { pockets, packages, unmet } = findings;
  const lines = [
    ...pockets.map((suite) => `!!  no ${suite}: neither the image nor the server later gets updates from it`),
    ...packages.map((it) => `!!  no package ${it}`),
    ...unmet.map((line) => `!!  ${line}`),
  ];
  const isWhole = packages.length === 0 && unmet.length === 0;
  const title = `${name} with the stack ${stack}: ${isWhole ? 'everything is there' : 'something is missing'}`;
  context.output.result([...lines, title].join('\n'), { base: name, stack, ok: isWhole, ...findings });
  if (!isWhole) process.exitCode = exitCodes.machineLacks;
}

async function findingsFor(name: string, stackName: string, context: CommandContext): Promise<BaseFindings> {
  const { catalogue: load, system, cache: folder, options } = context;
  const catalogue = load();
  choose('base', catalogue.bases, name);
  const machine = { memory: '1024G', systemDisk: '4G', dataDisk: '20G' };
  const answers = answersSchema.parse({ version: 1, name: 'check', hostname: 'check', base: name, stack: stackName, machine });
  const { base, components } = select(catalogue, answers);
  makeFolder(folder);
  const { mirror } = options;
  const pockets = mirror === undefined ? undefined : await findPockets(base, mirror, archiveAnswers);
  const layer = packageLayer(base, components, { mirror, pockets: pockets?.there });
  const image = imageContext(folder, context);
  return withApt(await aptArchives(layer, image), system, async (apt) => {
    const packages = await apt.missing(layer.packages);
    const unmet = packages.length > 0 ? [] : await apt.resolve(packagesFor(layer)).then(() => [], whyUnmet);
    return { pockets: (pockets?.missing ?? []).map(({ suite }) => suite), packages, unmet };
  });
}

/** apt's own lines about what does not fit together. */
function whyUnmet(error: unknown): string[] {
  if (!(error instanceof UserError)) throw error;
  const told = error.details.filter((line) => / : (?:Depends|PreDepends|Conflicts|Breaks): |^E: /.test(line));
  return told.length > 0 ? told.map((line) => line.trim()) : [error.message, ...error.details];
}
