import { expect } from 'vitest';
import type { Session } from './session.ts';

/** The last JSON line of a command inside. */
export interface Answer {
  readonly type: string;
  readonly project?: { readonly links: Record<string, Record<string, string>> };
  readonly error?: { readonly message: string; readonly hint?: string; readonly exitCode: number };
  readonly findings?: readonly Finding[];
}

/** What the doctor found about one resource. */
export interface Finding {
  readonly project: string;
  readonly resource: string;
  readonly what: string;
  readonly text: string;
  readonly hint: string;
  readonly repaired: boolean;
}

/** The appliance's commands, as an administrator types them. */
export interface Devserver {
  /** Runs one; a refusal is an answer. */
  readonly ask: (...args: string[]) => Promise<{ exitCode: number; answer: Answer }>;
  /** Runs one that must succeed. */
  readonly must: (...args: string[]) => Promise<Answer>;
}

/** `devserver ARGS` in a session, with --json. */
export function devserverIn(session: Session): Devserver {
  const ask: Devserver['ask'] = async (...args) => {
    const end = args.includes('--') ? args.indexOf('--') : args.length;
    const words = [...args.slice(0, end), '--json', ...args.slice(end)];
    const { exitCode, stdout, stderr } = await session.tryRun(['devserver', ...words]);
    const last = stdout.trim().split('\n').at(-1) ?? '';
    if (last === '') throw new Error(`devserver ${args.join(' ')} said nothing: ${stderr}`);
    return { exitCode, answer: JSON.parse(last) as Answer };
  };
  const must: Devserver['must'] = async (...args) => {
    const { exitCode, answer } = await ask(...args);
    expect(exitCode, `${args.join(' ')}: ${JSON.stringify(answer)}`).toBe(0);
    return answer;
  };
  return { ask, must };
}

/** What the doctor finds about one project; those that tests laid out by hand are no projects to it. */
export async function findingsAbout({ ask }: Pick<Devserver, 'ask'>, project: string): Promise<readonly Finding[]> {
  const { answer } = await ask('doctor');
  if (answer.findings === undefined) throw new Error(`the doctor says ${JSON.stringify(answer)}`);
  return answer.findings.filter((it) => it.project === project);
}

/** Looks twice a second until there is something. @throws Error saying what never came. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>, seconds = 180): Promise<T> {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

/** Everything in the appliance that bears a project's name: files of the data disk, groups, what Hudson and Archiva list. */
export async function remainsInside(session: Session, name: string): Promise<string[]> {
  const notOurs = ['*/devserverd/jobs/*', '*/access.log*'].flatMap((it) => ['-not', '-path', it]);
  const files = (await session.run(['find', '/srv', '-name', `*${name}*`, ...notOurs])).trim();
  const groups = ['admins', 'developers', 'readers', 'active', 'internal'].map(async (role) => {
    const group = await session.driver('ldap', 'read', { kind: 'group', name: `${name}.${role}` });
    return group === null ? [] : [`group ${name}.${role}`];
  });
  return [...(files === '' ? [] : files.split('\n')), ...(await Promise.all(groups)).flat()];
}
