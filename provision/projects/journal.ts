import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { jobPattern } from '../../src/kernel/appliance.ts';
import { syncDirectory } from '../../src/kernel/atomic-file.ts';
import { projectSpecification } from '../../src/kernel/project.ts';
import { accounts } from '../users/accounts.ts';

const change = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('create'), after: projectSpecification }),
  z.strictObject({ kind: z.literal('update'), before: projectSpecification, after: projectSpecification }),
  z.strictObject({ kind: z.literal('delete'), before: projectSpecification, accounts: accounts.optional() }),
  z.strictObject({ kind: z.literal('undelete'), after: projectSpecification, from: z.string().regex(jobPattern) }),
  z.strictObject({ kind: z.literal('restore'), after: projectSpecification, from: z.string().regex(jobPattern) }),
  z.strictObject({ kind: z.literal('rename'), before: projectSpecification, after: projectSpecification }),
]);

const step = z.int().min(0);
const record = z.discriminatedUnion('is', [
  z.object({ is: z.literal('begin'), change, by: z.string(), steps: z.array(z.string()) }),
  z.object({ is: z.literal('doing'), step }),
  z.object({ is: z.literal('done'), step }),
  z.object({ is: z.literal('error'), message: z.string(), hint: z.string().optional() }),
  z.object({ is: z.literal('undoing'), step }),
  z.object({ is: z.literal('undone'), step }),
  z.object({ is: z.literal('stuck'), step, message: z.string() }),
  z.object({ is: z.literal('commit') }),
  /** left: what could not be undone. */
  z.object({ is: z.literal('end'), result: z.enum(['done', 'undone', 'left']), left: z.array(z.string()).default([]) }),
]);

/** One line of a journal. */
export type JournalRecord = z.output<typeof record>;
export type TimedRecord = JournalRecord & { readonly at: string };

/** The open journal of one job. */
export interface Journal {
  /** Returns once the line is on the disk. */
  readonly write: (line: JournalRecord) => void;
  readonly close: () => void;
}

/** Called around every line, so that a test can end the process there. */
export type AtLine = (moment: 'before' | 'after', line: JournalRecord) => void;

/**
 * Opens a job's journal below `jobs`, making it when it is new. A line cut short by a crash, or by a full disk, is taken away.
 */
export function openJournal(jobs: string, job: string, atLine: AtLine = () => {}): Journal {
  const folder = path.join(jobs, job);
  // not recursive: on a disk that can't be written Node would then say that it is not there
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
  const file = path.join(folder, 'journal');
  const descriptor = openSync(file, 'a', 0o600);
  const kept = readFileSync(file);
  let length = kept.lastIndexOf(0x0a) + 1;
  ftruncateSync(descriptor, length);
  syncDirectory(folder);
  syncDirectory(jobs);
  const write = (line: JournalRecord): void => {
    atLine('before', line);
    const bytes = Buffer.from(`${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`);
    try {
      if (writeSync(descriptor, bytes) < bytes.length)
        throw Object.assign(new Error('no space left for the journal'), { code: 'ENOSPC' });
      fsyncSync(descriptor);
    } catch (error) {
      ftruncateSync(descriptor, length);
      throw error;
    }
    length += bytes.length;
    atLine('after', line);
  };
  return { write, close: () => closeSync(descriptor) };
}

/**
 * A job's lines. A last line cut short by a crash was never acted upon and is left out.
 * @throws Error when another line can't be read: then nobody may guess.
 */
export function readJournal(jobs: string, job: string): TimedRecord[] {
  const lines = readFileSync(path.join(jobs, job, 'journal'), 'utf8').split('\n');
  const torn = lines.pop();
  if (torn === undefined) return [];
  return lines.map((line, index) => {
    const value: unknown = JSON.parse(line);
    const parsed = record.safeParse(value);
    if (!parsed.success) throw new Error(`line ${index + 1} of the journal of ${job} can't be read: ${parsed.error.message}`);
    return { at: String((value as { at?: unknown }).at ?? ''), ...parsed.data };
  });
}

/** What a job set out to do, from the first line alone; undefined where not even that can be read. */
export function readChange(jobs: string, job: string): z.output<typeof change> | undefined {
  try {
    const [first = ''] = readFileSync(path.join(jobs, job, 'journal'), 'utf8').split('\n');
    const { data } = record.safeParse(JSON.parse(first));
    return data?.is === 'begin' ? data.change : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether nothing is left to do for a job. Of one that is ended no more than its last line is read: what an earlier release
 * wrote before it need not be understood any more.
 */
export function isSettled(jobs: string, job: string): boolean {
  const file = path.join(jobs, job, 'journal');
  // died before its first line was whole: it did nothing
  if (!existsSync(file)) return true;
  const line = readFileSync(file, 'utf8').split('\n').slice(0, -1).at(-1);
  if (line === undefined) return true;
  try {
    const { is, result } = JSON.parse(line) as { is?: unknown; result?: unknown };
    return is === 'end' && result !== 'left';
  } catch {
    return false;
  }
}

/** All jobs there are, oldest first. */
export function listJobs(jobs: string): string[] {
  return readdirSync(jobs, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && jobPattern.test(entry.name))
    .map(({ name }) => name)
    .sort();
}
