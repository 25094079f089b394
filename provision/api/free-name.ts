import { exitCodes } from '../../src/kernel/errors.ts';
import type { ProjectSpecification } from '../../src/kernel/project.ts';
import { onceCalled } from '../projects/former-names.ts';
import { type Caller, maySee } from './caller.ts';
import { Refusal } from './refusal.ts';

/** That no project has this name, or had it and is reached by it. `own`: one that may have it back. @throws Refusal */
export function requireFreeName(
  projects: readonly ProjectSpecification[],
  name: string,
  caller: Caller,
  { hint, own }: { readonly hint: string; readonly own?: string },
): void {
  if (projects.some((it) => it.name === name))
    throw new Refusal(409, `there is already a project ${name}`, { exitCode: exitCodes.usage, hint });
  const holder = onceCalled(projects, name);
  if (holder === undefined || holder.name === own) return;
  // who may not see it does not learn what it is called
  const known = maySee(caller, holder);
  throw new Refusal(409, `${name} is what ${known ? holder.name : 'another project'} was called: its old addresses lead there`, {
    exitCode: exitCodes.usage,
    hint: known ? `${hint}, or give that one up: devserver project free ${holder.name} ${name}` : hint,
  });
}
