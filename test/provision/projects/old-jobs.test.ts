import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newestJobs } from '../../../provision/projects/job-log.ts';
import { dropOldJobs } from '../../../provision/projects/old-jobs.ts';
import { startWork } from '../../../provision/projects/start-work.ts';
import { worldOffice } from '../../support/office-world.ts';
import { specification } from '../../support/project-world.ts';

const day = 86_400_000;
const now = new Date('2026-06-01T00:00:00.000Z');
let dir = '';
let jobs = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'old-jobs-'));
  jobs = path.join(dir, 'jobs');
  mkdirSync(jobs);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const end = (result: 'done' | 'undone' | 'left'): object => ({ is: 'end', result, left: [] });

/** A job of so many days ago, with these lines behind its first. */
function job(index: number, daysAgo: number, ...lines: readonly object[]): string {
  const name = `20250101t000000000-${String(index).padStart(8, '0')}`;
  mkdirSync(path.join(jobs, name));
  const begin = { is: 'begin', change: { kind: 'create', after: specification('shop') }, by: 'ann', steps: [] };
  const file = path.join(jobs, name, 'journal');
  writeFileSync(file, [begin, ...lines].map((it) => `${JSON.stringify({ at: '2025-01-01T00:00:00.000Z', ...it })}\n`).join(''));
  const at = new Date(now.getTime() - daysAgo * day);
  for (const it of [file, path.join(jobs, name)]) utimesSync(it, at, at);
  return name;
}

/** Newer ones, as old as the others: so that nothing else is kept for being among the last. */
function newer(count: number): string[] {
  return Array.from({ length: count }, (_, index) => job(5000 + index, 400, end('done')));
}

describe('jobs that ended long ago', () => {
  it('are forgotten, but for the last thousand, those of 90 days and those that are not ended', async () => {
    const gone = [job(1, 91, end('done')), job(2, 400, end('undone'))];
    const kept = [
      job(3, 89, end('done')),
      job(4, 400),
      job(5, 400, { is: 'doing', step: 0 }),
      job(6, 400, { is: 'commit' }),
      job(7, 400, end('left')),
      ...newer(10),
    ];
    expect(await dropOldJobs(jobs, now, 10)).toBe(gone.length);
    expect(readdirSync(jobs).sort()).toEqual(kept.sort());
    expect(await dropOldJobs(jobs, now, 10)).toBe(0);
  });

  it('are forgotten also when a crash left no journal or none that can be read to its end', async () => {
    const [empty, torn] = [job(1, 400), job(2, 400, end('done'))];
    rmSync(path.join(jobs, empty, 'journal'));
    const at = new Date(now.getTime() - 400 * day);
    utimesSync(path.join(jobs, empty), at, at);
    writeFileSync(path.join(jobs, torn, 'journal'), 'no journal\n');
    utimesSync(path.join(jobs, torn, 'journal'), at, at);
    newer(10);
    expect(await dropOldJobs(jobs, now, 10)).toBe(1);
    // nobody can tell what is still to be done for the other
    expect([existsSync(path.join(jobs, empty)), existsSync(path.join(jobs, torn))]).toEqual([false, true]);
  });

  it('stay where there are fewer than a thousand', async () => {
    job(1, 400, end('done'));
    expect(await dropOldJobs(jobs, now)).toBe(0);
  });

  it('go at the start of the daemon and every day, also while another job can not be ended', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    try {
      const office = worldOffice(dir);
      // a thousand newer ones, of which a crash left no more than the folder
      for (let index = 5000; index < 6000; index += 1) mkdirSync(path.join(jobs, `20250101t000000000-0000${index}`));
      const first = job(1, 4000, end('done'));
      const open = job(2, 4000, { is: 'doing', step: 0 });
      rmSync(path.join(jobs, open, 'journal'));
      writeFileSync(path.join(jobs, open, 'journal'), 'no journal\n');
      // its next try would come when all this is gone
      void startWork(office, () => new Promise(() => {}));
      await expect.poll(() => existsSync(path.join(jobs, first))).toBe(false);
      const second = job(3, 4000, end('done'));
      vi.advanceTimersByTime(day);
      await expect.poll(() => existsSync(path.join(jobs, second))).toBe(false);
      expect(existsSync(path.join(jobs, open))).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});

it('the list of jobs reads no more journals than it shows', () => {
  const all = newer(110);
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  for (const name of all.slice(0, 10)) writeFileSync(path.join(jobs, name, 'journal'), 'not to be read\n');
  expect(newestJobs(jobs, 100).map((it) => it.job)).toEqual(all.slice(-100).reverse());
  expect(told).not.toHaveBeenCalled();
  told.mockRestore();
});
