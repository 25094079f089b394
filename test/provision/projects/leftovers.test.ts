import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bench } from '../../../provision/projects/bench.ts';
import { deferred } from '../../../provision/projects/deferred.ts';
import { examine } from '../../../provision/projects/doctor.ts';
import type { Change } from '../../../provision/projects/plan.ts';
import { openWorkshop, type Workshop } from '../../../provision/projects/workshop.ts';
import { snapshot, specification, worldBench } from '../../support/project-world.ts';

let dir = '';
let bench: Bench;
let workshop: Workshop;
let asked: string[] = [];
let broken: string | undefined;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'leftovers-'));
  asked = [];
  broken = undefined;
  bench = worldBench(
    dir,
    () => broken,
    (component, verb) => {
      if (broken === `${component}:${verb}`) throw new Error(`${component} is down`);
      asked.push(`${component} ${verb}`);
    },
  );
  workshop = openWorkshop(bench);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function create(after: ReturnType<typeof specification>, on = workshop): Promise<void> {
  const change: Change = { kind: 'create', after };
  const job = await on.start(after.name, 'ann', async () => ({ change, seed: { files: [] } as never }));
  expect((await job.outcome).result).toBe('done');
}

/** Puts a file of the world there, as a hand or a lost specification leaves it. */
function put(file: string, text = '{"members":"everyone"}'): void {
  const at = path.join(dir, file);
  mkdirSync(path.dirname(at), { recursive: true });
  writeFileSync(at, text);
}

async function told(fix = false): Promise<string[]> {
  const findings = await examine(bench, workshop, fix);
  return findings.map(({ project, resource, what, repaired }) => `${project} ${resource} ${what}${repaired ? ' repaired' : ''}`);
}

const derivedOfGhost = ['world/dir/ghost.admins', 'world/jobs/ghost', 'secrets/ghost.builder', 'facts/ghost.json'];
const derivedFindings = ['core.admins', 'core.password', 'facts', 'jobs.job'].map((it) => `ghost ${it} leftover`);

describe('what no project asks for', () => {
  beforeEach(() => create(specification('shop')));

  it('is named when its project does not exist, and what is derived is removed', async () => {
    const healthy = snapshot(dir);
    for (const file of derivedOfGhost) put(file);
    expect(await told()).toEqual(derivedFindings);
    expect(Object.keys(snapshot(dir)).length).toBe(Object.keys(healthy).length + derivedOfGhost.length);
    expect(await told(true)).toEqual(derivedFindings.map((it) => `${it} repaired`));
    expect(snapshot(dir)).toEqual(healthy);
    expect(await told(true)).toEqual([]);
  });

  it('is never removed when it is data, and as long as that is there nothing else of the name is', async () => {
    for (const file of ['world/wiki/ghost', ...derivedOfGhost]) put(file);
    const before = snapshot(dir);
    const all = [...derivedFindings, 'ghost wiki.pages leftover'];
    expect(await told(true)).toEqual(all);
    expect(snapshot(dir)).toEqual(before);
    const findings = await examine(bench, workshop, true);
    expect(findings.find(({ resource }) => resource === 'wiki.pages')).toMatchObject({
      text: 'it is there, yet there is no project ghost',
      hint: expect.stringMatching(/specification from a backup.*\/srv\/wiki by hand/),
    });
    expect(findings.find(({ resource }) => resource === 'core.admins')?.hint).toContain('when the data of that name is gone');
    rmSync(path.join(dir, 'world/wiki/ghost'));
    expect(await told(true)).toEqual(derivedFindings.map((it) => `${it} repaired`));
  });

  it('is found in a project too: a group that opens it to everybody, a part it does not have', async () => {
    await create(specification('shed', { ci: false, vcs: 'hg' }));
    const healthy = snapshot(dir);
    for (const file of ['world/dir/shop.internal', 'world/jobs/shed', 'secrets/shed.builder']) put(file);
    const found = ['shed core.password leftover', 'shed jobs.job leftover', 'shop core.internal leftover'];
    expect(await told()).toEqual(found);
    expect((await examine(bench, workshop, false))[2]?.text).toBe('it is there, yet the project is not to have it');
    // of a project that exists its data stands in nothing's way
    put('world/repo/shed');
    expect(await told(true)).toEqual([
      ...found.slice(0, 2).map((it) => `${it} repaired`),
      'shed repo.repository leftover',
      'shop core.internal leftover repaired',
    ]);
    rmSync(path.join(dir, 'world/repo/shed'));
    expect(snapshot(dir)).toEqual(healthy);
  });

  it('is what it is for groups that should be there: missing', async () => {
    await create(specification('open', { visibility: 'internal' }));
    rmSync(path.join(dir, 'world/dir/open.internal'));
    expect(await told()).toEqual(['open core.internal missing']);
    expect(await told(true)).toEqual(['open core.internal missing repaired']);
  });

  it('is not the rest of a change under way, nor what a damaged specification leaves, nor what no project is called', async () => {
    for (const file of [
      'world/repo/.stash/job',
      'world/repo/By-Hand',
      'world/dir/admins',
      'world/repo/site',
      'world/dir/a.admins',
    ])
      put(file, '{}');
    expect(await told(true)).toEqual([]);
    const [reached, gate] = [deferred<void>(), deferred<void>()];
    const act: Bench['backends']['act'] = async (resource, verb, ...rest) => {
      await bench.backends.act(resource, verb, ...rest);
      if (resource.key !== 'jobs.job') return;
      reached.resolve();
      await gate.promise;
    };
    const held = { ...bench, backends: { ...bench.backends, act } };
    const slow = openWorkshop(held);
    const creating = create(specification('fresh'), slow);
    await reached.promise;
    expect(snapshot(dir)).toHaveProperty('world/repo/fresh');
    expect(await examine(held, slow, false)).toEqual([]);
    gate.resolve();
    await creating;

    put('projects/torn.yaml', 'name: [');
    for (const file of ['world/repo/torn', 'world/dir/torn.admins']) put(file);
    const again = worldBench(dir);
    expect(await examine(again, openWorkshop(again), true)).toMatchObject([{ project: 'torn', what: 'unreadable' }]);
    expect(snapshot(dir)).toHaveProperty('world/dir/torn.admins');
  });

  it('is not what a change made between the listing and the look', async () => {
    const listing: Bench['backends']['listing'] = () => {
      const real = bench.backends.listing();
      return async (resource) => (resource.key === 'repo.repository' ? [...(await real(resource)), 'late'] : real(resource));
    };
    const read: Bench['backends']['read'] = async (resource, ...rest) => {
      if (rest[0].name !== 'late' || bench.specifications.find('late') !== undefined)
        return bench.backends.read(resource, ...rest);
      await create(specification('late'));
      return bench.backends.read(resource, ...rest);
    };
    expect(await examine({ ...bench, backends: { ...bench.backends, listing, read } }, workshop, false)).toEqual([]);
    expect(bench.specifications.find('late')).toBeDefined();
  });

  it('takes one listing of each driver, however many projects there are', async () => {
    for (const name of ['more-a', 'more-b', 'more-c']) await create(specification(name));
    asked = [];
    expect(await told()).toEqual([]);
    expect(asked.filter((it) => it.endsWith(' list')).sort()).toEqual(['dir list', 'jobs list', 'repo list', 'wiki list']);
  });

  it('is still looked for when one of the services does not answer, and that is told', async () => {
    for (const file of ['world/jobs/ghost', 'world/wiki/ghost']) put(file);
    broken = 'wiki:list';
    // there may be data of the ghost in what can't be listed
    expect(await told(true)).toEqual(['* wiki.pages unreadable', 'ghost jobs.job leftover']);
    rmSync(path.join(dir, 'world/wiki/ghost'));
    broken = 'dir:list';
    expect(await told(true)).toEqual([
      '* core.admins unreadable',
      '* core.internal unreadable',
      'ghost jobs.job leftover repaired',
    ]);
  });
});
