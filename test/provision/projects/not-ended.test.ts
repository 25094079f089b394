import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bench } from '../../../provision/projects/bench.ts';
import type { Outcome } from '../../../provision/projects/carry-out.ts';
import { examine } from '../../../provision/projects/doctor.ts';
import { listJobs, readJournal } from '../../../provision/projects/journal.ts';
import type { Change } from '../../../provision/projects/plan.ts';
import { openWorkshop, requireDone, type Workshop } from '../../../provision/projects/workshop.ts';
import { specification, worldBench } from '../../support/project-world.ts';

let dir = '';
let bench: Bench;
let workshop: Workshop;
/** What fails: a KEY:VERB, or `audit`. */
let broken: string | undefined;
/** Kinds of lines that the journal takes no more. */
let full: readonly string[] = [];

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'not-ended-'));
  broken = undefined;
  full = [];
  const world = worldBench(dir, () => broken);
  const noSpace = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  bench = {
    ...world,
    atLine: (moment, { is }) => {
      if (moment === 'before' && full.includes(is)) throw noSpace;
    },
  };
  workshop = openWorkshop(bench);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function carriedOut(change: Change): Promise<Outcome> {
  const job = await workshop.start('shop', 'ann', async () => ({ change, seed: { files: [] } as never }));
  return job.outcome;
}
const created = (): Promise<Outcome> => carriedOut({ kind: 'create', after: specification('shop') });
const lastOf = (): string[] => readJournal(bench.jobs, listJobs(bench.jobs).at(-1) ?? '').map(({ is }) => is);
const group = (role: string): string => path.join(dir, 'world/dir', `shop.${role}`);

describe('a job whose journal does not know that it was taken back', () => {
  it('keeps its project to itself until it is ended, so that it can undo nothing that came later', async () => {
    [broken, full] = ['jobs.job:apply', ['error', 'undoing', 'undone', 'end']];
    expect((await created()).result).toBe('undone');
    [broken, full] = [undefined, []];
    await expect(created()).rejects.toMatchObject({ exitCode: 7, message: expect.stringContaining('not ended yet') as string });
    expect(await workshop.takeUpAll()).toEqual([]);
    expect(await created()).toEqual({ result: 'done' });
    expect(await workshop.takeUpAll()).toEqual([]);
    expect([existsSync(group('admins')), existsSync(path.join(dir, 'world/jobs/shop'))]).toEqual([true, true]);
  });

  it('keeps its project to itself also when its journal can no longer be read', async () => {
    [broken, full] = ['jobs.job:apply', ['error', 'undoing', 'undone', 'end']];
    await created();
    [broken, full] = [undefined, []];
    const job = listJobs(bench.jobs).at(-1) ?? '';
    const journal = path.join(bench.jobs, job, 'journal');
    const whole = readFileSync(journal, 'utf8');
    writeFileSync(journal, `${whole}{"is":"sometimes"}\n`);
    // as after a restart
    workshop = openWorkshop(bench);
    expect(await workshop.takeUpAll()).toEqual([job]);
    await expect(created()).rejects.toMatchObject({ exitCode: 7, message: expect.stringContaining(job) as string });
    writeFileSync(journal, whole);
    expect(await workshop.takeUpAll()).toEqual([]);
    expect(await created()).toEqual({ result: 'done' });
  });

  it('keeps nobody waiting when only its end is not told', async () => {
    broken = 'jobs.job:apply';
    const silent = worldBench(
      dir,
      () => broken,
      undefined,
      () => 'audit',
    );
    workshop = openWorkshop({ ...bench, audit: silent.audit });
    expect((await created()).result).toBe('undone');
    expect(lastOf()).not.toContain('end');
    broken = undefined;
    workshop = openWorkshop(bench);
    expect(await created()).toEqual({ result: 'done' });
  });
});

describe('a job that failed behind its commit', () => {
  const deletion = async (): Promise<Outcome> => {
    await created();
    broken = 'repo.repository:purge';
    return carriedOut({ kind: 'delete', before: specification('shop') });
  };

  it('is told as made, with what is left to clean up, and not as taken back', async () => {
    const end = await deletion();
    expect(end).toMatchObject({ result: 'left', committed: true, left: ['repo.repository purge: repo is broken'] });
    expect(() => requireDone(end)).toThrow(
      expect.objectContaining({ exitCode: 6, hint: expect.stringContaining('the change is made') as string }) as Error,
    );
    expect(bench.specifications.find('shop')).toBeUndefined();
    await expect(created()).rejects.toMatchObject({ exitCode: 7 });
    broken = undefined;
    expect(await workshop.takeUpAll()).toEqual([]);
    expect(await created()).toEqual({ result: 'done' });
  });

  it('is not undone by the doctor: what it made is not in the specification yet', async () => {
    await created();
    const before = specification('shop', { members: { ann: 'admin', bob: 'admin' } });
    await carriedOut({ kind: 'update', before: specification('shop'), after: before });
    const both = readFileSync(group('admins'), 'utf8');
    expect(both).toContain('bob');
    const keep = bench.specifications.keep;
    let refuses = true;
    const specifications: Bench['specifications'] = {
      ...bench.specifications,
      keep: (project) => {
        if (refuses) throw new Error('no space left on device');
        keep(project);
      },
    };
    bench = { ...bench, specifications };
    workshop = openWorkshop(bench);
    expect((await carriedOut({ kind: 'update', before, after: specification('shop') })).result).toBe('left');
    await examine(bench, workshop, true);
    expect(readFileSync(group('admins'), 'utf8'), 'bob is let in again').not.toContain('bob');
    refuses = false;
    expect(await workshop.takeUpAll()).toEqual([]);
    expect(bench.specifications.find('shop')?.members).toEqual({ ann: 'admin' });
    expect(await examine(bench, workshop, false)).toEqual([]);
  });
});

describe('a record of a deleted project that can not be read', () => {
  it('keeps no other from being deleted or had back', async () => {
    writeFileSync(path.join(dir, 'deleted', '20250101t000000000-deadbeef.yaml'), '{');
    await created();
    expect(await carriedOut({ kind: 'delete', before: specification('shop') })).toEqual({ result: 'done' });
    expect(bench.deleted.all().map(({ project }) => project.name)).toEqual(['shop']);
  });
});
