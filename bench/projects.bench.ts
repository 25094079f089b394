import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli, mustCli } from '../test/e2e/support/cli.ts';
import { passwordOf } from '../test/e2e/support/projects.ts';
import { openSession, type Session } from '../test/e2e/support/session.ts';
import { kinds } from '../test/e2e/support/working-copies.ts';
import { hookCosts } from './support/hooks.ts';
import type { Row } from './support/page.ts';
import { plotSvg, type Series } from './support/plot.ts';
import { writePlot, writeResults } from './support/results.ts';
import { spreadOf, timed } from './support/statistics.ts';

/**
 * What projects cost, in a native appliance of the default stack, warm: `npm run bench:projects`.
 * DEVSERVER_BENCH_DIR: its folder; without devserver.yaml there it is built. DEVSERVER_BENCH_SIZES: numbers of projects.
 */
const dir = process.env.DEVSERVER_BENCH_DIR ?? 'build/bench/projects';
const sizes = (process.env.DEVSERVER_BENCH_SIZES ?? '10,100,300,1000').split(',').map(Number);
const figures: Record<string, unknown> = {};
let session: Session;
let made = 0;

beforeAll(async () => {
  const { stdout } = await cli(['status', dir, '--json']);
  if (!stdout.includes('"running":true')) {
    await mustCli([dir, '--yes', '--base', 'debian-13', '--plain']);
    await mustCli(['up', dir, '--backend', 'nspawn', '--wait', '--plain']);
  }
  session = openSession(dir);
  made = (await names()).length;
  await newPerson('dev');
  // the first of each kind warms templates, Java and caches
  for (const vcs of kinds) await make('--vcs', vcs);
});

afterAll(async () => {
  await session?.close();
});

/** Somebody new, unless they are there from an earlier run. */
async function newPerson(name: string): Promise<void> {
  await session.tryRun(['devserver', 'user', 'add', name, '--full-name', name, '--password-file', '-'], `${passwordOf(name)}\n`);
}

async function names(): Promise<string[]> {
  const projects = JSON.parse(await session.run(['devserver', 'project', 'list', '--json'])) as { name: string }[];
  return projects.map(({ name }) => name);
}

/** Makes the next project; its name, seconds in all, and seconds of each step. */
async function make(...more: string[]): Promise<{ name: string; seconds: number; steps: ReadonlyMap<string, number> }> {
  made += 1;
  const name = `p${String(made).padStart(4, '0')}x${Date.now().toString(36).slice(-3)}`;
  let said = '';
  const seconds = await timed(async () => {
    said = await session.run(['newproject', name, '--yes', '--json', ...more]);
  });
  const began = new Map<string, number>();
  const steps = new Map<string, number>();
  for (const line of said.trim().split('\n')) {
    const event = JSON.parse(line) as { type: string; key: string; state: string; seconds: number };
    if (event.type !== 'step') continue;
    if (event.state === 'doing') began.set(event.key, event.seconds);
    if (event.state === 'done') steps.set(event.key, (steps.get(event.key) ?? 0) + event.seconds - (began.get(event.key) ?? 0));
  }
  return { name, seconds, steps };
}

const rows: Row[] = [];

it(`what there is with ${sizes[0]} projects`, async () => {
  await growTo(sizes[0] ?? 10);
});

it('newproject, everything and without Maven, 20 times each', async () => {
  const whole: number[] = [];
  const bare: number[] = [];
  const trac: number[] = [];
  for (let run = 0; run < 20; run += 1) {
    const { seconds, steps } = await make('--vcs', kinds[run % kinds.length] ?? 'git');
    whole.push(seconds);
    trac.push([...steps].filter(([key]) => key.startsWith('trac.')).reduce((sum, [, value]) => sum + value, 0));
    bare.push((await make('--vcs', 'git', '--no-maven')).seconds);
  }
  expect(Math.max(...trac), 'no step of Trac was seen').toBeGreaterThan(0);
  Object.assign(figures, { newproject: spreadOf(whole), newprojectNoMaven: spreadOf(bare), trac: spreadOf(trac) });
});

it('what the hooks add to a push or commit', async () => {
  const url = (JSON.parse(await mustCli(['status', dir, '--json'])) as { url: string }).url.replace(/\/$/, '');
  const ca = path.join(path.resolve(dir), 'ca.crt');
  writeFileSync(ca, await session.run(['cat', '/srv/system/secrets/apache/ca.crt']));
  const projects = { git: '', hg: '', svn: '' };
  for (const kind of kinds) projects[kind] = (await make('--vcs', kind, '--no-ci', '--member', 'dev:developer')).name;
  Object.assign(figures, { hooks: await hookCosts(session, { url, ca }, projects) });
  writeResults('projects', { ...figures, growth: rows });
});

it(`what grows up to ${sizes.slice(1).join(', ')} projects`, async () => {
  for (const size of sizes.slice(1)) await growTo(size);
  const series = (name: string, of: (row: Row) => number): Series => ({
    name,
    points: rows.map((row) => [row.projects, of(row)]),
  });
  // the doctor takes so much longer that nobody would see the others; the table has it
  const lines = [
    series('newproject', (row) => row.newproject),
    series('list', (row) => row.list),
    series('member add', (row) => row.memberAdd),
    series('Apache start', (row) => row.apacheStart),
  ];
  writePlot('projects', plotSvg('What grows with the number of projects', 'projects', 'seconds', lines));
});

/** Makes projects until there are so many, and measures. */
async function growTo(size: number): Promise<void> {
  while (made < size) await Promise.all(Array.from({ length: Math.min(4, size - made) }, () => make('--vcs', 'git')));
  rows.push(await rowOf());
  writeResults('projects', { ...figures, growth: rows });
}

async function rowOf(): Promise<Row> {
  const all = await names();
  // somebody who is a member of none of them yet
  const person = `dev${Date.now().toString(36)}`;
  await newPerson(person);
  const times = async (count: number, work: (index: number) => Promise<unknown>): Promise<number> => {
    const values: number[] = [];
    for (let index = 0; index < count; index += 1) values.push(await timed(() => work(index)));
    return spreadOf(values).median;
  };
  const row = {
    projects: all.length,
    newproject: await times(7, () => make('--vcs', 'git')),
    list: await times(7, () => session.run(['devserver', 'project', 'list', '--json'])),
    memberAdd: await times(7, (index) =>
      session.run(['devserver', 'project', 'member', 'add', all[index] ?? '', `${person}:developer`, '--json']),
    ),
    apacheStart: await times(3, () => session.run(['systemctl', 'restart', 'apache2.service'])),
    doctor: await times(1, () => session.tryRun(['devserver', 'doctor', '--json'])),
    memoryMiB: 0,
  };
  // what Java and the drivers took for the moment is given back
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  return { ...row, memoryMiB: await memoryInUse() };
}

/** Memory of the processes inside that is theirs alone or their share of what is shared (PSS), in MiB. */
async function memoryInUse(): Promise<number> {
  const program = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/{sum+=$2} END{print int(sum/1024)}'";
  return Number(await session.run(['sh', '-c', program]));
}
