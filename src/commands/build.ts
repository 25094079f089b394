import { existsSync } from 'node:fs';
import path from 'node:path';
import { ensureHostTools } from '../host-setup.ts';
import { buildImage } from '../image/build.ts';
import type { ImageContext } from '../image/context.ts';
import type { SeedRequest } from '../image/outputs/seed.ts';
import { requireSigningKey, signSums } from '../image/outputs/sign.ts';
import { sizeInMiB } from '../kernel/size.ts';
import { type Lock, readLock } from '../lock/lock-file.ts';
import { withLock } from '../machine/lock.ts';
import { type OutputFormat, outputFile, outputFormats, usualOutputs } from '../plan/output-formats.ts';
import type { Plan } from '../plan/plan.ts';
import { size } from '../terminal/plain.ts';
import { type GivenAnswers, readAnswers } from './answers-file.ts';
import { authoritiesCredential } from './authorities.ts';
import { type CommandContext, type CommonOptions, requireFolders } from './context.ts';
import { imageContext } from './image-context.ts';
import { frozenLock, lockFor } from './lock.ts';
import { makeMachinePlan, makePlan, planAsJson, showPlan } from './make-plan.ts';

/** Held while DIR/out changes. */
const buildLock = '.build.lock';

export interface BuildOptions extends CommonOptions {
  readonly frozen?: boolean;
  /** Formats in place of those of DIR/devserver.yaml. */
  readonly output?: readonly string[] | undefined;
  /** File of an ssh key that signs what was built. */
  readonly sign?: string;
}

/** `build DIR`: the disk image of DIR/devserver.yaml, in DIR/out. */
export async function runBuild(dir: string, options: BuildOptions, context: CommandContext, made?: Plan): Promise<void> {
  const { output, system, cache } = context;
  const given = readAnswers(dir, context.catalogue());
  const { answers } = given;
  const plan = made ?? (await makePlan(given, context, frozenOf(dir, options)));
  const frozen = options.frozen === true ? await frozenLock(dir, plan) : undefined;
  if (options.dryRun === true) {
    output.result(showPlan(plan, answers), { plan: planAsJson(plan) });
    return;
  }
  requireFolders(dir, cache);
  await ensureHostTools(system, output.report);
  if (options.sign !== undefined) await requireSigningKey(options.sign, system);
  const begun = performance.now();
  const making = imageContext(dir, context);
  const lock = (logged: ImageContext): Promise<Lock> =>
    frozen === undefined ? lockFor(dir, plan, logged) : Promise.resolve(frozen);
  const outputs = (options.output as OutputFormat[] | undefined) ?? answers.outputs ?? usualOutputs;
  const { memory, dataDisk, cpus } = answers.machine;
  const machine = { memoryMiB: sizeInMiB(memory), dataMiB: sizeInMiB(dataDisk), cpus };
  const image = await withLock(path.join(dir, buildLock), `an image of ${dir} is being built`, async () => {
    // one that is there has to be for the same
    const seed =
      outputs.includes('seed') || existsSync(path.join(dir, 'out', outputFile('seed')))
        ? await seedOf(dir, given, context)
        : undefined;
    const built = await buildImage(plan, { ...making, lock, outputs, machine, seed });
    if (options.sign !== undefined) await signSums(built.folder, options.sign, system);
    return built;
  });
  const seconds = Math.round((performance.now() - begun) / 100) / 10;
  const told = outputFormats.filter((format) => format in image.bytes && (format !== 'raw' || outputs.includes('raw')));
  const sizes = told.map((format) => `${size(image.bytes[format]) ?? ''} as ${outputFile(format)}`);
  output.result(`${path.join(dir, 'out')}: ${plan.name}, ${sizes.join(', ')}, built in ${seconds} s`, { ...image, seconds });
}

/** What a cloud image of the base becomes the server by. */
async function seedOf(dir: string, given: GivenAnswers, context: CommandContext): Promise<SeedRequest> {
  const { authorities, sshKeys, timezone } = given.answers;
  const credentials = authoritiesCredential(dir, authorities);
  return { installer: { ...(await makeMachinePlan(given, context)), credentials }, authorizedKeys: sshKeys ?? [], timezone };
}

/** The lock that a build is to go by and by no other. */
export const frozenOf = (dir: string, { frozen }: BuildOptions): Lock | undefined =>
  frozen === true ? readLock(dir) : undefined;
