import type { ImageContext } from '../image/context.ts';
import { fits, resolveLock } from '../image/resolve-lock.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { makeFolder } from '../kernel/folder.ts';
import { type Change, linesOf } from '../lock/changes.ts';
import { type Lock, lockFile, lockText, readLock, writeLock } from '../lock/lock-file.ts';
import type { Plan } from '../plan/plan.ts';
import { readAnswers } from './answers-file.ts';
import { type CommandContext, type CommonOptions, requireFolders } from './context.ts';
import { imageContext } from './image-context.ts';
import { makePlan } from './make-plan.ts';

/** The lock a build goes by: DIR's where it is for this plan, otherwise what the archives have today, which is kept in DIR. */
export async function lockFor(dir: string, plan: Plan, context: ImageContext): Promise<Lock> {
  const there = readLock(dir);
  if (there !== undefined && (await fits(there, plan))) return there;
  const { lock, changes } = await resolveLock(plan, context, there);
  writeLock(dir, lock);
  if (there !== undefined)
    context.report({ type: 'note', text: `the answers changed, so ${lockFile} is made anew: ${summaryOf(changes)}` });
  return lock;
}

/** DIR's lock, which has to be for this plan. @throws UserError when it is missing, or is not. */
export async function frozenLock(dir: string, plan: Plan): Promise<Lock> {
  const there = readLock(dir);
  if (there !== undefined && (await fits(there, plan))) return there;
  const mirror = plan.layer.own?.[0] === undefined ? '' : ` --mirror ${plan.layer.own[0].url}`;
  throw new UserError(there === undefined ? `${dir} has no ${lockFile}` : `${dir}/${lockFile} is for other answers`, {
    exitCode: exitCodes.badData,
    hint: `upgrade-lock ${dir}${mirror} makes one for these`,
  });
}

/** `outdated DIR`: what a lock made today would have in place of DIR's. */
export async function runOutdated(dir: string, context: CommandContext): Promise<void> {
  const plan = await planOf(dir, context);
  const there = readLock(dir);
  if (there === undefined)
    throw new UserError(`${dir} has no ${lockFile}`, { exitCode: exitCodes.usage, hint: `build ${dir} makes one` });
  const { changes } = await resolveLock(plan, imageContext(dir, context), there);
  tell(changes, { dir, isNew: false, written: false }, context);
}

/** `upgrade-lock DIR`: takes what the archives have today into DIR's lock; the next build is of it. */
export async function runUpgradeLock(dir: string, options: CommonOptions, context: CommandContext): Promise<void> {
  const plan = await planOf(dir, context);
  const there = readLock(dir);
  const { lock, changes } = await resolveLock(plan, imageContext(dir, context), there);
  const isOther = there === undefined || lockText({ ...lock, made: there.made }) !== lockText(there);
  const written = isOther && options.dryRun !== true;
  if (written) writeLock(dir, lock);
  tell(changes, { dir, isNew: there === undefined, written }, context);
}

async function planOf(dir: string, context: CommandContext): Promise<Plan> {
  const plan = await makePlan(readAnswers(dir, context.catalogue()), context);
  requireFolders(dir, context.cache);
  makeFolder(context.cache);
  return plan;
}

function tell(
  changes: readonly Change[],
  { dir, isNew, written }: { dir: string; isNew: boolean; written: boolean },
  { output }: CommandContext,
): void {
  const none = isNew ? `${dir}: a lock of what the archives have` : `${dir}: everything locked is what the archives have`;
  const text = changes.length === 0 ? none : [...linesOf(changes), summaryOf(changes)].join('\n');
  output.result(text, { changes, security: changes.filter(({ security }) => security).length, upgraded: written });
}

function summaryOf(changes: readonly Change[]): string {
  const urgent = changes.filter(({ security }) => security).length;
  return `${changes.length} packages are others${urgent === 0 ? '' : `, ${urgent} of them for security`}`;
}
