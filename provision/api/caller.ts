import { exitCodes } from '../../src/kernel/errors.ts';
import type { ProjectSpecification } from '../../src/kernel/project.ts';
import { Refusal } from './refusal.ts';

/** Who asks. */
export interface Caller {
  /** The login; `root` on the administrator's own socket. */
  readonly name: string;
  readonly isAdmin: boolean;
  readonly isCreator: boolean;
}

/** Whoever can open the control socket is root. */
export const root: Caller = { name: 'root', isAdmin: true, isCreator: true };

/** Lets administrators through. */
export function requireAdmin(caller: Caller): void {
  if (!caller.isAdmin) refuse('only administrators may do this', 'ask a member of the group admins');
}

/** Lets those through who may make projects. */
export function requireCreator(caller: Caller): void {
  if (!caller.isAdmin && !caller.isCreator)
    refuse('only members of the group creators may make projects', 'ask an administrator: devserver user add --creator');
}

/** Lets a project's own administrators through, and those of the appliance. */
export function requireProjectAdmin(caller: Caller, project: ProjectSpecification): void {
  if (!caller.isAdmin && project.members[caller.name] !== 'admin')
    refuse(`only administrators of ${project.name} may do this`, 'newproject and devserver project show name them');
}

/** Whether somebody may see a project at all. */
export function maySee(caller: Caller, project: ProjectSpecification): boolean {
  return caller.isAdmin || project.visibility === 'internal' || Object.hasOwn(project.members, caller.name);
}

function refuse(message: string, hint: string): never {
  throw new Refusal(403, message, { hint, exitCode: exitCodes.failedUndone });
}
