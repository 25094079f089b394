import { parseMember } from '../../src/kernel/client/newproject.ts';
import { type ProjectAnswer, projectText, type ShownProject } from '../../src/kernel/client/show-project.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { CommandContext } from './context.ts';

interface ChangeOptions {
  readonly dryRun?: boolean;
}

/** `devserver project list`. */
export async function listProjects({ deleted }: { deleted?: boolean }, { api, result }: CommandContext): Promise<void> {
  if (deleted === true) {
    const list = await api.get<{ name: string; title: string; at: string; until: string }[]>('/deleted');
    result(
      list
        .map(({ name, at, until }) => `${name.padEnd(24)} deleted ${at.slice(0, 10)}, kept until ${until.slice(0, 10)}`)
        .join('\n'),
      list,
    );
    return;
  }
  const list = await api.get<ShownProject[]>('/projects');
  const lines = list.map(
    ({ name, vcs, visibility, archived, members, title }) =>
      `${name.padEnd(24)} ${vcs.padEnd(4)} ${(archived ? 'archived' : visibility).padEnd(9)} ${String(Object.keys(members).length).padStart(3)} members  ${title}`,
  );
  result(lines.length === 0 ? 'no projects yet (newproject NAME makes one)' : lines.join('\n'), list);
}

/** `devserver project show NAME`. */
export async function showProject(name: string, { api, result }: CommandContext): Promise<void> {
  const project = await api.get<ShownProject>(`/projects/${inPath(name)}`);
  result(projectText(project), { ...project });
}

/** `devserver project member add|remove`, `archive`, `unarchive`, `set`. */
export async function changeProject(
  name: string,
  change: Record<string, unknown>,
  { dryRun }: ChangeOptions,
  context: CommandContext,
): Promise<void> {
  const path = `/projects/${inPath(name)}`;
  if (dryRun === true)
    return showPlan(await context.api.send<{ steps: string[] }>('PATCH', `${path}?dryRun=true`, change), context);
  const answer = await context.api.follow<ProjectAnswer & { seconds: number }>('PATCH', path, change, context.onLine);
  context.result(`done in ${answer.seconds.toFixed(1)} s`, answer);
}

/** `devserver project member add NAME USER[:ROLE]…`. */
export function addMembers(
  name: string,
  users: readonly string[],
  options: ChangeOptions,
  context: CommandContext,
): Promise<void> {
  return changeProject(name, { members: Object.fromEntries(users.map(parseMember)) }, options, context);
}

/** `devserver project member remove NAME USER…`. */
export function removeMembers(
  name: string,
  users: readonly string[],
  options: ChangeOptions,
  context: CommandContext,
): Promise<void> {
  return changeProject(name, { members: Object.fromEntries(users.map((user) => [user, null])) }, options, context);
}

/** `devserver project delete NAME`: a terminal is asked to type the name again, everybody else says --yes. */
export async function deleteProject(
  name: string,
  { dryRun, yes }: ChangeOptions & { yes?: boolean },
  context: CommandContext,
  confirm: (name: string) => Promise<boolean>,
): Promise<void> {
  const path = `/projects/${inPath(name)}`;
  if (dryRun === true) return showPlan(await context.api.send<{ steps: string[] }>('DELETE', `${path}?dryRun=true`), context);
  if (yes !== true && !(await confirm(name)))
    throw new UserError(`${name} is left as it is`, { hint: 'say --yes to delete it', exitCode: exitCodes.usage });
  const answer = await context.api.follow<ProjectAnswer & { seconds: number }>('DELETE', path, undefined, context.onLine);
  context.result(`${name} is deleted; for 30 days: devserver project undelete ${name}`, answer);
}

/** `devserver project rename NAME NEW`. */
export async function renameProject(
  name: string,
  wanted: string,
  { dryRun }: ChangeOptions,
  context: CommandContext,
): Promise<void> {
  const path = `/projects/${inPath(name)}/rename`;
  const body = { name: wanted };
  if (dryRun === true) return showPlan(await context.api.send<ShownPlan>('POST', `${path}?dryRun=true`, body), context);
  const answer = await context.api.follow<ProjectAnswer & { seconds: number }>('POST', path, body, context.onLine);
  const lines = [
    `${name} is ${wanted} now, after ${answer.seconds.toFixed(1)} s`,
    `addresses of ${name} lead to it; to give that name up: devserver project free ${wanted} ${name}`,
  ];
  context.result(lines.join('\n'), answer);
}

/** `devserver project free NAME OLD…`. */
export function freeNames(name: string, old: readonly string[], options: ChangeOptions, context: CommandContext): Promise<void> {
  return changeProject(name, { formerly: Object.fromEntries(old.map((it) => [it, null])) }, options, context);
}

/** `devserver project undelete NAME`. */
export async function undeleteProject(name: string, { dryRun }: ChangeOptions, context: CommandContext): Promise<void> {
  const path = `/deleted/${inPath(name)}/undelete`;
  if (dryRun === true) return showPlan(await context.api.send<ShownPlan>('POST', `${path}?dryRun=true`), context);
  const answer = await context.api.follow<UndeleteAnswer>('POST', path, undefined, context.onLine);
  const lines = [`${name} is back, after ${answer.seconds.toFixed(1)} s`, ...droppedLines(answer)];
  context.result(lines.join('\n'), answer);
}

interface UndeleteAnswer extends ProjectAnswer {
  readonly seconds: number;
  readonly dropped?: readonly string[];
}

interface ShownPlan {
  readonly steps: readonly string[];
  readonly dropped?: readonly string[];
}

function showPlan({ steps, dropped }: ShownPlan, { result }: CommandContext): void {
  const told = dropped === undefined ? {} : { dropped };
  result([...steps.map((step) => `would ${step}`), ...droppedLines(told)].join('\n'), { dryRun: true, steps, ...told });
}

/** Somebody new may have a name by now that was another's when the project was deleted. */
function droppedLines({ dropped = [] }: Pick<ShownPlan, 'dropped'>): string[] {
  return dropped.map((user) => `${user} is no member any more: the account of that name is gone, or another one`);
}

/** A word for a path of the API; what could lead elsewhere in it is refused here with the rule of names. */
export function inPath(word: string): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(word)) return word;
  throw new UserError(`${JSON.stringify(word)} is no name`, { exitCode: exitCodes.usage });
}
