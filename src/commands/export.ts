import { mkdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureHostTools } from '../host-setup.ts';
import { hostTools } from '../host-tools.ts';
import { openCache, syncPath } from '../image/cache.ts';
import type { ImageContext } from '../image/context.ts';
import { fetchDebs } from '../image/debs.ts';
import { fetchDownload } from '../image/downloads.ts';
import { packTree } from '../image/outputs/archive.ts';
import { withWorkFolder } from '../image/work-folder.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { stage } from '../kernel/report.ts';
import { type Lock, lockFile } from '../lock/lock-file.ts';
import type { Answers } from '../plan/answers.ts';
import type { Plan } from '../plan/plan.ts';
import { size } from '../terminal/plain.ts';
import { readAnswers } from './answers-file.ts';
import { authorityCopy } from './authorities.ts';
import { type BuildOptions, frozenOf } from './build.ts';
import { type CommandContext, requireFolders } from './context.ts';
import { generatorFiles, type Placed } from './generator-files.ts';
import { imageContext } from './image-context.ts';
import { answersName, answersText } from './kept-answers.ts';
import { frozenLock, lockFor } from './lock.ts';
import { makePlan, planAsJson, showPlan } from './make-plan.ts';

/**
 * `export DIR FILE`: everything that a build of DIR needs, in one tar: answers and lock, packages, artifacts, and this
 * generator with its libraries. What it does not hold, a machine needs: Node.js and mmdebstrap.
 */
export async function runExport(dir: string, file: string, options: BuildOptions, context: CommandContext): Promise<void> {
  const { output, system, cache } = context;
  const given = readAnswers(dir, context.catalogue());
  const plan = await makePlan(given, context, frozenOf(dir, options));
  const frozen = options.frozen === true ? await frozenLock(dir, plan) : undefined;
  if (options.dryRun === true) {
    output.result(showPlan(plan, given.answers), { plan: planAsJson(plan) });
    return;
  }
  requireFolders(dir, cache);
  await requirePlaceFor(file);
  await ensureHostTools(system, output.report);
  const bytes = await withWorkFolder(
    path.dirname(path.resolve(file)),
    async (work) => {
      const placed = [
        ...(await ownFiles(dir, given.answers, work)),
        ...(await buildFiles(plan, frozen, imageContext(dir, context))),
        ...programs(context),
      ];
      await writeFile(path.join(work, readme), readmeText(options));
      const packed = await stage(output.report, 'archive', async () => {
        const tar = await pack(work, [...placed, { from: path.join(work, readme), to: readme }], context);
        return { value: tar, outcome: { bytes: (await stat(tar)).size } };
      });
      await syncPath(packed);
      await rename(packed, file);
      return (await stat(file)).size;
    },
    '.devserver-export-',
  );
  output.result(`${file}: ${plan.name} and all that a build of it needs, ${size(bytes) ?? ''}; ${readme} in it says how`, {
    file,
    bytes,
  });
}

async function requirePlaceFor(file: string): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there !== undefined && !there.isFile())
    throw new UserError(`${file} is there and no file`, {
      exitCode: exitCodes.usage,
      hint: 'name the file that is to be written',
    });
}

/** Answers and lock; certificates that lie anywhere come along as copies, which the answers name then. */
async function ownFiles(dir: string, answers: Answers, work: string): Promise<Placed[]> {
  const files = answers.authorities ?? [];
  const copies = files.map((file) => ({ from: path.resolve(dir, file), to: path.join('server', authorityCopy(file)) }));
  const named = files.length === 0 ? answers : { ...answers, authorities: files.map(authorityCopy) };
  await writeFile(path.join(work, answersName), answersText(named));
  return [
    { from: path.join(work, answersName), to: path.join('server', answersName) },
    { from: path.resolve(dir, lockFile), to: path.join('server', lockFile) },
    ...copies,
  ];
}

/** What the lock and the plan name, each from the cache, where it is put if it has to be fetched. */
async function buildFiles(plan: Plan, frozen: Lock | undefined, context: ImageContext): Promise<Placed[]> {
  const { report } = context;
  const lock = await stage(report, 'lock', async () => ({ value: frozen ?? (await lockFor(context.dir, plan, context)) }));
  const cache = await openCache(context.cache);
  const asCached = (from: string): Placed => ({ from, to: path.join('cache', path.relative(path.resolve(context.cache), from)) });
  const debs = await stage(report, 'packages', async () => {
    const packages = [...new Map([...lock.packages, ...lock.tools].map((it) => [it.sha256, it])).values()];
    return { value: await fetchDebs({ lock, packages, snapshot: plan.snapshot, stage: 'packages' }, cache, context) };
  });
  const downloads = await stage(report, 'downloads', async () => {
    const value: string[] = [];
    for (const download of plan.downloads) value.push((await fetchDownload(download, cache, context)).path);
    return { value };
  });
  return [...debs.map(({ file }) => file), ...downloads].map(asCached);
}

function programs({ root, options }: CommandContext): Placed[] {
  const more = (options.stacks ?? []).map((from, index) => ({
    from: path.resolve(from),
    to: path.join('stacks', String(index + 1)),
  }));
  return [...generatorFiles(root).map(({ from, to }) => ({ from, to: path.join('generator', to) })), ...more];
}

/** One tar of all of it; tar reads through links, so nothing is copied before. */
async function pack(work: string, placed: readonly Placed[], { system }: CommandContext): Promise<string> {
  const tree = path.join(work, 'tree');
  for (const { from, to } of placed) {
    await mkdir(path.join(tree, path.dirname(to)), { recursive: true });
    await symlink(from, path.join(tree, to));
  }
  const tar = path.join(work, 'export.tar');
  await packTree(tar, tree, system);
  await rm(tree, { recursive: true });
  return tar;
}

const readme = 'README.txt';

function readmeText({ mirror, stacks }: BuildOptions): string {
  const flags = [
    ...(mirror === undefined ? [] : ['--mirror', mirror]),
    ...(stacks ?? []).flatMap((_, index) => ['--stacks', `stacks/${index + 1}`]),
  ];
  const command = ['node', 'generator/start.mjs', 'build', 'server', '--frozen', '--cache', 'cache', ...flags].join(' ');
  const packages = hostTools.filter(({ needed }) => needed).map((tool) => tool.package);
  return `Everything that a build of this server needs; no network is asked for anything.

A Linux machine (x86-64) with Node.js 20.19 or later and these packages:
${[...new Set(packages)].sort().join(' ')}

${command}
`;
}
