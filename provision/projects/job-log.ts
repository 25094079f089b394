import { existsSync } from 'node:fs';
import path from 'node:path';
import { exitCodes } from '../../src/kernel/errors.ts';
import { Refusal } from '../api/refusal.ts';
import type { JobSummary } from '../api/schemas.ts';
import { listJobs, readJournal, type TimedRecord } from './journal.ts';
import { projectOf, wordsOf } from './plan.ts';

/** The newest jobs first. */
export function newestJobs(jobs: string, limit: number): JobSummary[] {
  return listJobs(jobs)
    .reverse()
    .slice(0, limit)
    .flatMap((job) => readableSummary(jobs, job) ?? []);
}

/** Undefined for a job that ended before it began, and for a journal nobody can read: the others can be shown all the same. */
function readableSummary(jobs: string, job: string): JobSummary | undefined {
  if (!existsSync(path.join(jobs, job, 'journal'))) return undefined;
  try {
    return summaryOf(job, readJournal(jobs, job));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** One job with its log, as people read it. @throws Refusal when there is none. */
export function jobWithLog(jobs: string, job: string): JobSummary & { log: string[] } {
  if (!existsSync(path.join(jobs, job, 'journal')))
    throw new Refusal(404, `there is no job ${job}`, { hint: 'devserver job list', exitCode: exitCodes.usage });
  const records = readJournal(jobs, job);
  const summary = summaryOf(job, records);
  if (summary === undefined) throw new Refusal(404, `job ${job} ended before it began`, { exitCode: exitCodes.usage });
  const steps = records.flatMap((it) => (it.is === 'begin' ? it.steps : []));
  return { ...summary, log: records.map((it) => `${it.at} ${sentence(it, steps)}`) };
}

function summaryOf(job: string, records: readonly TimedRecord[]): JobSummary | undefined {
  const begin = records.find((it) => it.is === 'begin');
  if (begin?.is !== 'begin') return undefined;
  const end = records.findLast((it) => it.is === 'end');
  const error = records.find((it) => it.is === 'error');
  return {
    ...{ job, at: begin.at, by: begin.by, kind: wordsOf(begin.change), project: projectOf(begin.change) },
    state: end?.is === 'end' ? end.result : 'running',
    ...(error?.is === 'error' ? { error: error.message } : {}),
  };
}

function sentence(record: TimedRecord, steps: readonly string[]): string {
  switch (record.is) {
    case 'begin':
      return `${projectOf(record.change)}: ${wordsOf(record.change)}, asked for by ${record.by}`;
    case 'doing':
      return `doing    ${steps[record.step] ?? record.step}`;
    case 'done':
      return `done     ${steps[record.step] ?? record.step}`;
    case 'undoing':
      return `undoing  ${steps[record.step] ?? record.step}`;
    case 'undone':
      return `undone   ${steps[record.step] ?? record.step}`;
    case 'stuck':
      return `stuck    ${steps[record.step] ?? record.step}: ${record.message}`;
    case 'error':
      return `error    ${record.message}`;
    case 'commit':
      return 'committed';
    case 'end':
      return `end: ${record.result}${record.left.length === 0 ? '' : ` (${record.left.join('; ')})`}`;
  }
}
