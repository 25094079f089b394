import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { CommandContext } from './context.ts';
import { inPath } from './project.ts';

interface ShownJob extends Record<string, unknown> {
  readonly job: string;
  readonly at: string;
  readonly by: string;
  readonly kind: string;
  readonly project: string;
  readonly state: string;
  readonly error?: string;
  readonly log?: readonly string[];
}

const jobLine = ({ job, kind, project, by, state, error }: ShownJob): string =>
  `${job}  ${kind.padEnd(8)} ${project.padEnd(24)} ${by.padEnd(16)} ${state}${error === undefined ? '' : `: ${error}`}`;

/** `devserver job list`. */
export async function listJobs({ api, result }: CommandContext): Promise<void> {
  const list = await api.get<ShownJob[]>('/jobs');
  result(list.map(jobLine).join('\n'), list);
}

/** `devserver job show JOB`. */
export async function showJob(job: string, { api, result }: CommandContext): Promise<void> {
  const found = await api.get<ShownJob>(`/jobs/${inPath(job)}`);
  result([jobLine(found), ...(found.log ?? [])].join('\n'), found);
}

/** `devserver job resume`: what could not be taken back or ended is tried again. */
export async function resumeJobs({ api, result }: CommandContext): Promise<void> {
  const { left } = await api.send<{ left: string[] }>('POST', '/jobs/resume');
  if (left.length > 0)
    throw new UserError('some jobs could not be ended yet', {
      details: left,
      hint: 'devserver job show JOB',
      exitCode: exitCodes.failedNotUndone,
    });
  result('nothing is left open', { left });
}

interface ShownFinding {
  readonly project: string;
  readonly resource: string;
  readonly what: string;
  readonly text: string;
  readonly hint: string;
  readonly repaired: boolean;
}

/** `devserver doctor [--fix]`: exit code 5 while something is not as it should be. */
export async function runDoctor({ fix }: { fix?: boolean }, { api, result }: CommandContext): Promise<void> {
  const findings =
    fix === true ? await api.send<ShownFinding[]>('POST', '/doctor/fix') : await api.get<ShownFinding[]>('/doctor');
  const lines = findings.map(
    ({ project, resource, text, hint, repaired }) =>
      `${repaired ? 'ok' : '!!'}  ${project}  ${resource}: ${text}${repaired ? ', and is put right' : ` (${hint})`}`,
  );
  result(lines.length === 0 ? 'every project is as it should be' : lines.join('\n'), { findings });
  if (findings.some(({ repaired }) => !repaired)) process.exitCode = exitCodes.failedUndone;
}
