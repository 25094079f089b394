import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { counted } from '../../support/counted.ts';
import { snapshot } from '../../support/project-world.ts';
import { checkout } from '../../support/real.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'kill-matrix-'));
const program = path.join(folder, 'change.mjs');
const full = process.env.DEVSERVER_TEST_SIZE === 'full';
const [once, twice] = process.env.DEVSERVER_TEST_SIZE === 'quick' ? [1, 1] : [3, 2];
const seed = Number(process.env.DEVSERVER_SEED ?? 1);

/** Carries out one change, or takes up what an earlier process left; prints how it ended. */
const source = `
  import { worldBench, specification } from '/test/support/project-world.ts';
  import { renamed } from '/provision/projects/former-names.ts';
  import { openWorkshop } from '/provision/projects/workshop.ts';
  const [dir, kind] = process.argv.slice(2);
  const bench = worldBench(dir, () => process.env.BROKEN, () => {}, () => process.env.SILENT ?? process.env.BROKEN);
  const workshop = openWorkshop(bench);
  if (kind === 'recover') {
    for (const it of bench.specifications.all()) bench.facts.publish(workshop.factsOf(it));
    process.stdout.write(JSON.stringify({ left: await workshop.takeUpAll() }));
  } else {
    const before = bench.specifications.find('shop');
    const changes = {
      create: () => ({ kind, after: specification('shop') }),
      update: () => ({ kind, before, after: { ...before, title: 'Other', visibility: 'internal', members: { bob: 'admin' } } }),
      delete: () => ({ kind, before }),
      undelete: () => ({ kind, after: bench.deleted.all()[0].project, from: bench.deleted.all()[0].job }),
      restore: () => ({ kind, after: bench.deleted.all()[0].project, from: bench.deleted.all()[0].job }),
      rename: () => ({ kind, before, after: renamed(before, 'store') }),
    };
    const job = await workshop.start(['shop', 'store'], 'ann', async () => ({ change: changes[kind](), seed: { files: [] } }));
    const { result, error } = await job.outcome;
    process.stdout.write(JSON.stringify({ result, error: error?.message }));
  }
`;

type Kind = 'create' | 'update' | 'delete' | 'undelete' | 'restore' | 'rename';
const kinds: readonly Kind[] = ['create', 'update', 'delete', 'undelete', 'restore', 'rename'];
/** As the audit log calls it. */
const wordsOf = (kind: Kind): string => `project ${kind === 'rename' ? 'rename to store' : kind}`;
const before = new Map<Kind, string>();
const after = new Map<Kind, string>();
const faults = new Map<Kind, string[]>();

function change(
  dir: string,
  kind: Kind | 'recover',
  env: Record<string, string> = {},
): ReturnType<typeof spawnSync> & { stdout: string } {
  const result = spawnSync(process.execPath, [program, dir, kind], { encoding: 'utf8', env: { ...process.env, ...env } });
  return result as ReturnType<typeof spawnSync> & { stdout: string };
}

/** The state of all services, with the jobs' names taken out. */
function state(dir: string): Record<string, string> {
  const unnamed = (text: string): string => text.replaceAll(/\d{8}t\d{9}-[0-9a-f]{8}/g, 'JOB');
  return Object.fromEntries(Object.entries(snapshot(dir)).map(([file, text]) => [unnamed(file), unnamed(text)]));
}

/** Which lines the last job's journal has, each as a place to kill at. */
function places(dir: string): string[] {
  const job = readdirSync(path.join(dir, 'jobs')).sort().at(-1) ?? '';
  const lines = readFileSync(path.join(dir, 'jobs', job, 'journal'), 'utf8')
    .trim()
    .split('\n');
  return lines.flatMap((line) => {
    const { is, step } = JSON.parse(line) as { is: string; step?: number };
    return ['before', 'after'].map((moment) => [moment, is, ...(step === undefined ? [] : [String(step)])].join(':'));
  });
}

/** What the audit log was told, with the job each line is about. */
function told(dir: string): { job: string; what: string; result: string }[] {
  const file = path.join(dir, 'audit');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  return lines.map((line) => JSON.parse(line) as { job: string; what: string; result: string });
}

/** So many of a list, chosen by the seed. */
function sample<T>(list: readonly T[], count: number): T[] {
  let state = seed;
  const random = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  return full
    ? [...list]
    : [...list]
        .map((it) => ({ it, by: random() }))
        .sort((a, b) => a.by - b.by)
        .slice(0, count)
        .map(({ it }) => it);
}

function copyOf(kind: Kind): string {
  const dir = path.join(folder, `${kind}-${Math.random().toString(36).slice(2)}`);
  cpSync(before.get(kind) ?? '', dir, { recursive: true });
  return dir;
}

describe(`a change that is cut short (seed ${seed})`, () => {
  beforeAll(async () => {
    await build({
      stdin: { contents: source.replaceAll("'/", `'${checkout}/`), resolveDir: checkout, loader: 'ts' },
      ...{ outfile: program, bundle: true, platform: 'node', target: 'node20', format: 'esm' },
      banner: { js: "import { createRequire as nodeRequire } from 'node:module'; const require = nodeRequire(import.meta.url);" },
    });
    const dir = path.join(folder, 'live');
    for (const kind of kinds) {
      const start = path.join(folder, `before-${kind}`);
      mkdirSync(dir, { recursive: true });
      if (kind === 'restore') {
        // of a project that is not there: here its data comes out of what was kept of it
        rmSync(dir, { recursive: true });
        cpSync(before.get('undelete') ?? '', dir, { recursive: true });
      }
      cpSync(dir, start, { recursive: true });
      before.set(kind, start);
      const { stdout } = change(dir, kind);
      expect(JSON.parse(stdout)).toEqual({ result: 'done' });
      const end = path.join(folder, `after-${kind}`);
      cpSync(dir, end, { recursive: true });
      after.set(kind, end);
      faults.set(kind, places(dir));
    }
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('changes what it says, when nothing happens', () => {
    const whole = state(after.get('create') ?? '');
    expect(state(before.get('create') ?? '')).toEqual({});
    expect(Object.keys(whole)).toEqual(
      expect.arrayContaining([
        'world/repo/shop',
        'world/wiki/shop',
        'world/jobs/shop',
        'world/dir/shop.admins',
        'projects/shop.yaml',
        'facts/shop.json',
        'secrets/shop.builder',
      ]),
    );
    expect(Object.keys(state(after.get('delete') ?? ''))).toEqual(['world/archive/JOB']);
    expect(state(after.get('undelete') ?? '')).toEqual(state(after.get('update') ?? ''));
    const { 'world/archive/JOB': _kept, ...restored } = state(after.get('restore') ?? '');
    // what comes out of a backup is made to fit the specification
    const repository = expect.stringContaining('"people":"seeded"') as string;
    expect(restored).toEqual({ ...state(after.get('undelete') ?? ''), 'world/repo/shop': repository });
    const moved = state(after.get('rename') ?? '');
    expect(moved.renamed).toBe('shop store\n');
    expect(moved['projects/store.yaml']).toContain('formerly:\n  - shop\n');
    expect(Object.keys(moved).filter((it) => it.includes('shop'))).toEqual([]);
    expect(moved['world/repo/store']).toBe(state(before.get('rename') ?? '')['world/repo/shop']?.replace('"shop"', '"store"'));
    for (const places of faults.values()) expect(places.length).toBeGreaterThan(10);
  });

  it.each(kinds)(
    '%s: is whole or absent everywhere after a kill at any line of its journal',
    (kind) => {
      const [none, whole] = [state(before.get(kind) ?? ''), state(after.get(kind) ?? '')];
      for (const fault of sample(faults.get(kind) ?? [], once)) {
        const dir = copyOf(kind);
        counted({ kills: 1 });
        expect(change(dir, kind, { DEVSERVERD_FAULT: fault }).signal, fault).toBe('SIGKILL');
        expect(JSON.parse(change(dir, 'recover').stdout), fault).toEqual({ left: [] });
        const committed = /commit|end/.test(fault) && fault !== 'before:commit';
        expect(state(dir), fault).toEqual(committed ? whole : none);
        rmSync(dir, { recursive: true });
      }
    },
    300_000,
  );

  it.each(kinds)(
    '%s: the audit log has its end, whenever it is killed; twice at most, and then with one job',
    (kind) => {
      const known = told(before.get(kind) ?? '').length;
      const late = ['before:commit', 'after:commit', 'before:end', 'after:end'];
      for (const fault of [...late, ...sample(faults.get(kind) ?? [], 2)]) {
        const dir = copyOf(kind);
        change(dir, kind, { DEVSERVERD_FAULT: fault });
        change(dir, 'recover');
        const lines = told(dir).slice(known);
        const began = fault !== 'before:begin';
        expect(lines.length, fault).toBe(!began ? 0 : fault === 'before:end' ? 2 : 1);
        const committed = /commit|end/.test(fault) && fault !== 'before:commit';
        const result = expect.stringMatching(committed ? /^done$/ : /^undone: /) as string;
        for (const line of lines) expect(line, fault).toMatchObject({ job: lines[0]?.job, what: wordsOf(kind), result });
        rmSync(dir, { recursive: true });
      }
    },
    300_000,
  );

  it.each(kinds)('%s: is not ended before the audit log has taken its end', (kind) => {
    const dir = copyOf(kind);
    const known = told(dir).length;
    const { result, error } = JSON.parse(change(dir, kind, { BROKEN: 'audit' }).stdout) as { result: string; error: string };
    expect([result, error]).toEqual(['left', expect.stringContaining('no audit log')]);
    expect(told(dir)).toHaveLength(known);
    expect(JSON.parse(change(dir, 'recover').stdout)).toEqual({ left: [] });
    expect(told(dir).slice(known)).toMatchObject([{ what: wordsOf(kind), result: 'done' }]);
    expect(state(dir)).toEqual(state(after.get(kind) ?? ''));
  });

  it('is taken back all the same while the audit log takes nothing, and told later', () => {
    const dir = copyOf('create');
    const known = told(dir).length;
    const end = JSON.parse(change(dir, 'create', { BROKEN: 'jobs.job:apply', SILENT: 'audit' }).stdout) as { result: string };
    expect([end.result, told(dir).length, state(dir)]).toEqual(['undone', known, state(before.get('create') ?? '')]);
    change(dir, 'recover');
    expect(told(dir).slice(known)).toMatchObject([{ what: 'project create', result: 'undone: jobs is broken' }]);
    change(dir, 'recover');
    expect(told(dir)).toHaveLength(known + 1);
  });

  it.each(kinds)(
    '%s: so it is when the recovery is killed too',
    (kind) => {
      const none = state(before.get(kind) ?? '');
      for (const fault of sample(
        (faults.get(kind) ?? []).filter((it) => it.startsWith('after:doing')),
        twice,
      )) {
        const dir = copyOf(kind);
        change(dir, kind, { DEVSERVERD_FAULT: fault });
        for (const second of ['before:undone', 'after:undone', 'after:error'])
          change(dir, 'recover', { DEVSERVERD_FAULT: second });
        counted({ kills: 4 });
        expect(JSON.parse(change(dir, 'recover').stdout), fault).toEqual({ left: [] });
        expect(state(dir), fault).toEqual(none);
        rmSync(dir, { recursive: true });
      }
    },
    300_000,
  );

  it.each([
    ['create', 'wiki.pages:make'],
    ['create', 'jobs.job:apply'],
    ['update', 'jobs.job:apply'],
    ['delete', 'archive:pack'],
    ['delete', 'repo.repository:stash'],
    ['undelete', 'wiki.pages:unstash'],
    ['undelete', 'archive:unpack'],
    ['restore', 'wiki.pages:unstash'],
    ['restore', 'wiki.pages:apply'],
    ['restore', 'archive:place'],
    ['rename', 'repo.repository:stash'],
    ['rename', 'jobs.job:apply'],
    ['rename', 'wiki.pages:unstash'],
    ['rename', 'wiki.pages:apply'],
  ] as const)('%s: is undone, with the first error told, when %s fails', (kind, broken) => {
    const dir = copyOf(kind);
    const end = JSON.parse(change(dir, kind, { BROKEN: broken }).stdout) as { result: string; error: string };
    expect(end.error).toMatch(/is broken|no space left/);
    // what refuses even to take back is told as left, and taken back once it works again
    if (end.result !== 'undone') expect(JSON.parse(change(dir, 'recover').stdout)).toEqual({ left: [] });
    expect(state(dir)).toEqual(state(before.get(kind) ?? ''));
  });
});
