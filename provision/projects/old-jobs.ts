import { statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { isSettled, listJobs } from './journal.ts';

/** So many of the newest jobs are kept, however old they are. */
const jobsKept = 1000;
/** And those that ended in so many days, however many they are. */
const daysKept = 90;

/**
 * Removes the folders of jobs that ended long ago, one after the other, so that others get a turn. What is not ended stays,
 * however old it is. @returns how many were removed.
 */
export async function dropOldJobs(jobs: string, now: Date, kept = jobsKept): Promise<number> {
  const old = listJobs(jobs)
    .slice(0, -kept)
    .filter((job) => now.getTime() - lastWritten(path.join(jobs, job)) > daysKept * 86_400_000)
    .filter((job) => isSettled(jobs, job));
  for (const job of old) await rm(path.join(jobs, job), { recursive: true, force: true });
  return old.length;
}

/** Milliseconds; a job that was taken up again counts from then. */
function lastWritten(folder: string): number {
  const journal = statSync(path.join(folder, 'journal'), { throwIfNoEntry: false });
  return (journal ?? statSync(folder)).mtimeMs;
}
