import * as z from 'zod';
import { examine } from '../projects/doctor.ts';
import { jobWithLog, newestJobs } from '../projects/job-log.ts';
import { hasRole, vcsKinds } from '../projects/resources.ts';
import { requireAdmin } from './caller.ts';
import type { Office } from './office.ts';
import { type Operation, operation } from './operation.ts';
import { type Finding, finding, jobDetail, jobSummary, templateSummary } from './schemas.ts';

/** What the doctor changed, by name; the log has room for some. */
function putRight(found: readonly Finding[]): string {
  const names = found.filter(({ repaired }) => repaired).map(({ project, resource }) => `${project} ${resource}`);
  const left = found.length - names.length;
  return [`done: ${names.length} put right`, ...(left > 0 ? [`${left} not`] : []), ...names].join(', ');
}

/** Jobs, templates, the doctor. */
export function otherOperations(office: Office): Operation[] {
  const { bench, workshop } = office;
  const findings = z.array(finding);
  const look = (fix: boolean): Promise<unknown> => examine(bench, workshop, fix);
  return [
    operation({
      ...{
        method: 'GET',
        path: '/templates',
        summary: 'templates of projects',
        who: 'every login',
        answer: z.array(templateSummary),
      },
      act: async () =>
        office.templates().map(({ name, title, summary, parts, lacks }) => ({ name, title, summary, parts, lacks })),
    }),
    operation({
      ...{ method: 'GET', path: '/offer', summary: 'what a new project can have here', who: 'every login' },
      answer: z.object({ vcs: z.array(z.string()), parts: z.array(z.string()) }),
      act: async () => ({
        vcs: vcsKinds(office.catalogue),
        parts: ['maven', 'ci'].filter((role) => hasRole(office.catalogue, role)),
      }),
    }),
    operation({
      ...{ method: 'GET', path: '/jobs', summary: 'the newest jobs', who: 'admins', answer: z.array(jobSummary) },
      act: async ({ caller }) => {
        requireAdmin(caller);
        return newestJobs(bench.jobs, 100);
      },
    }),
    operation({
      ...{
        method: 'GET',
        path: '/jobs/{job}',
        summary: 'one job with its log',
        who: 'admins, and who asked for it',
        answer: jobDetail,
      },
      act: async ({ caller, params }) => {
        const found = jobWithLog(bench.jobs, params.job ?? '');
        if (found.by !== caller.name) requireAdmin(caller);
        return found;
      },
    }),
    operation({
      ...{ method: 'POST', path: '/jobs/resume', summary: 'try again what could not be taken back or ended', who: 'admins' },
      answer: z.object({ left: z.array(z.string()) }),
      tells: { what: 'job resume' },
      act: async ({ caller }) => {
        requireAdmin(caller);
        return { left: await workshop.takeUpAll() };
      },
    }),
    operation({
      ...{ method: 'GET', path: '/doctor', summary: 'look at every resource of every project', who: 'admins', answer: findings },
      act: async ({ caller }) => {
        requireAdmin(caller);
        return look(false);
      },
    }),
    operation({
      ...{ method: 'POST', path: '/doctor/fix', summary: 'make again what is derived', who: 'admins', answer: findings },
      tells: { what: 'doctor --fix', result: putRight },
      act: async ({ caller }) => {
        requireAdmin(caller);
        return look(true);
      },
    }),
  ];
}
