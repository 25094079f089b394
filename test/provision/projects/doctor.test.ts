import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bench } from '../../../provision/projects/bench.ts';
import { deferred } from '../../../provision/projects/deferred.ts';
import { examine } from '../../../provision/projects/doctor.ts';
import { newestJobs } from '../../../provision/projects/job-log.ts';
import type { Change } from '../../../provision/projects/plan.ts';
import { openWorkshop, type Workshop } from '../../../provision/projects/workshop.ts';
import { UserError } from '../../../src/kernel/errors.ts';
import { snapshot, specification, worldBench } from '../../support/project-world.ts';

let dir = '';
let bench: Bench;
let workshop: Workshop;
/** What the next act on this KEY:VERB waits for. */
let held: { readonly key: string; readonly reached: () => void; readonly until: Promise<void> } | undefined;

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'doctor-'));
  held = undefined;
  const world = worldBench(dir);
  const act: Bench['backends']['act'] = async (resource, verb, ...rest) => {
    if (held?.key === `${resource.key}:${verb}`) {
      held.reached();
      await held.until;
    }
    await world.backends.act(resource, verb, ...rest);
  };
  bench = { ...world, backends: { ...world.backends, act } };
  workshop = openWorkshop(bench);
  await carriedOut({ kind: 'create', after: specification('shop') });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function carriedOut(change: Change): Promise<void> {
  const job = await workshop.start('shop', 'ann', async () => ({ change, seed: { files: [] } as never }));
  expect((await job.outcome).result).toBe('done');
}

/** Begins a change and stops it before an act; `release` lets it go on. */
async function stopped(change: Change, key: string): Promise<{ release: () => void; end: Promise<void> }> {
  const [reached, gate] = [deferred<void>(), deferred<void>()];
  held = { key, reached: reached.resolve, until: gate.promise };
  const end = carriedOut(change);
  await reached.promise;
  return { release: gate.resolve, end };
}

const at = (...names: string[]): string => path.join(dir, 'world', ...names);
const shop = (): ReturnType<typeof specification> => {
  const found = bench.specifications.find('shop');
  if (found === undefined) throw new Error('there is no shop');
  return found;
};
const told = (findings: Awaited<ReturnType<typeof examine>>): string[] =>
  findings.map(({ resource, what, repaired }) => `${resource} ${what} ${repaired}`);

describe('the doctor', () => {
  it('is silent about a project that is as it should be', async () => {
    const healthy = snapshot(dir);
    expect(await examine(bench, workshop, false)).toEqual([]);
    expect(await examine(bench, workshop, true)).toEqual([]);
    expect(snapshot(dir)).toEqual(healthy);
  });

  it('makes again what is derived, and says where data is missing', async () => {
    const healthy = snapshot(dir);
    rmSync(at('dir', 'shop.admins'));
    rmSync(at('jobs', 'shop'));
    rmSync(at('repo', 'shop'));
    expect(told(await examine(bench, workshop, false))).toEqual([
      'core.admins missing false',
      'jobs.job missing false',
      'repo.repository missing-data false',
    ]);
    const repaired = await examine(bench, workshop, true);
    expect(told(repaired)).toEqual(['core.admins missing true', 'jobs.job missing true', 'repo.repository missing-data false']);
    expect(repaired.at(-1)?.hint).toContain('backup');
    expect(told(await examine(bench, workshop, true))).toEqual(['repo.repository missing-data false']);
    const { 'world/repo/shop': _gone, ...others } = healthy;
    expect(Object.keys(snapshot(dir)).sort()).toEqual(Object.keys(others).sort());
  });

  it('tells data that lacks something from a configuration that differs, and applies nothing to it', async () => {
    const acts: string[] = [];
    const read: Bench['backends']['read'] = async (resource, facts, job) =>
      resource.key === 'repo.repository'
        ? { present: true, lacks: 'HEAD is missing', differs: 'config was changed' }
        : bench.backends.read(resource, facts, job);
    const act: Bench['backends']['act'] = async ({ key }) => void acts.push(key);
    const findings = await examine({ ...bench, backends: { ...bench.backends, read, act } }, workshop, true);
    expect(told(findings)).toEqual(['repo.repository missing-data false']);
    expect(findings[0]?.text).toContain('HEAD is missing');
    expect(acts).toEqual([]);
  });

  it('gives the hint of whoever refused to be repaired', async () => {
    rmSync(at('jobs', 'shop'));
    const act: Bench['backends']['act'] = async () => {
      throw new UserError('it is starting', { hint: 'wait a little' });
    };
    const [found] = await examine({ ...bench, backends: { ...bench.backends, act } }, workshop, true);
    expect(found).toMatchObject({ repaired: false, hint: 'wait a little', text: expect.stringContaining('it is starting') });
  });

  it('waits for a job of the project, and then repairs what that made of it', async () => {
    const changed = { ...shop(), title: 'Other', members: { bob: 'admin' as const } };
    const job = await stopped({ kind: 'update', before: shop(), after: changed }, 'wiki.pages:apply');
    rmSync(at('dir', 'shop.admins'), { force: true });
    let over = false;
    const repairing = examine(bench, workshop, true).finally(() => {
      over = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(over).toBe(false);
    expect(told(await examine(bench, workshop, false)), 'looking waits for nobody').not.toEqual([]);
    job.release();
    await job.end;
    await repairing;
    expect(snapshot(dir)['world/dir/shop.admins']).toBe('{"members":["bob"]}');
    expect(snapshot(dir)['facts/shop.json']).toContain('"title":"Other"');
  });

  it('finds nothing in a project that was deleted while it waited, and brings nothing of it back', async () => {
    const job = await stopped({ kind: 'delete', before: shop() }, 'repo.repository:stash');
    const repairing = examine(bench, workshop, true);
    job.release();
    await job.end;
    const gone = snapshot(dir);
    expect(await repairing).toEqual([]);
    expect(snapshot(dir)).toEqual(gone);
    expect(Object.keys(gone).filter((it) => /facts|dir/.test(it))).toEqual([]);
  });

  it('holds up a job of the project while it repairs, and no other project', async () => {
    rmSync(at('jobs', 'shop'));
    const [reached, gate] = [deferred<void>(), deferred<void>()];
    held = { key: 'jobs.job:apply', reached: reached.resolve, until: gate.promise };
    const repairing = examine(bench, workshop, true);
    await reached.promise;
    held = undefined;
    let begun = false;
    const other = carriedOut({ kind: 'delete', before: shop() }).then(() => {
      begun = true;
    });
    await workshop.alone('other', async () => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(begun).toBe(false);
    gate.resolve();
    expect(told(await repairing)).toEqual(['jobs.job missing true']);
    await other;
    expect(await examine(bench, workshop, true)).toEqual([]);
  });

  it('reports a specification that can not be read, and leaves its project alone', async () => {
    mkdirSync(path.join(dir, 'projects'), { recursive: true });
    writeFileSync(path.join(dir, 'projects', 'torn.yaml'), 'name: [');
    const again = worldBench(dir);
    const findings = await examine(again, openWorkshop(again), true);
    expect(findings).toMatchObject([{ project: 'torn', what: 'unreadable', repaired: false }]);
  });
});

describe('a job whose clean-up fails', () => {
  it('stays open, and keeps the daemon neither from starting nor from other work', async () => {
    let broken: string | undefined = 'repo.repository:purge';
    const world = openWorkshop(worldBench(dir, () => broken));
    const job = await world.start('shop', 'ann', async () => ({ change: { kind: 'delete', before: shop() } }));
    expect(await job.outcome).toMatchObject({ result: 'left', committed: true, error: { message: 'repo is broken' } });
    expect(await world.takeUpAll()).toEqual([job.id]);
    // in its place nothing may be made that it would then take away
    const again = (): Promise<unknown> =>
      world.start('shop', 'ann', async () => ({ change: { kind: 'create', after: specification('shop') } }));
    await expect(again()).rejects.toThrow(`an earlier change of shop is not ended yet: job ${job.id}`);
    const restarted = openWorkshop(worldBench(dir, () => broken));
    expect(await restarted.takeUpAll()).toEqual([job.id]);
    broken = undefined;
    expect(await restarted.takeUpAll()).toEqual([]);
    expect(Object.keys(snapshot(dir)).filter((it) => it.includes('.stash'))).toEqual([]);
    const made = await restarted.start('shop', 'ann', async () => ({
      ...{ change: { kind: 'create', after: specification('shop') }, seed: { files: [] } as never },
    }));
    expect((await made.outcome).result).toBe('done');
  });

  it('nor does a journal that is missing, torn or of another release', async () => {
    const jobs = path.join(dir, 'jobs');
    const journal = (job: string, text?: string): void => {
      mkdirSync(path.join(jobs, job));
      if (text !== undefined) writeFileSync(path.join(jobs, job, 'journal'), text);
    };
    journal('20250101t000000000-aaaaaaaa');
    journal('20250101t000000000-bbbbbbbb', '{"is":"beg');
    journal('20250101t000000000-cccccccc', '{"is":"begin","of":"another release"}\n{"is":"end","result":"done"}\n');
    journal('20250101t000000000-dddddddd', 'no journal\n');
    expect(await openWorkshop(worldBench(dir)).takeUpAll()).toEqual(['20250101t000000000-dddddddd']);
    expect(newestJobs(jobs, 100).map(({ project }) => project)).toEqual(['shop']);
  });
});
