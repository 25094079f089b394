import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli, mustCli } from '../test/e2e/support/cli.ts';
import { openSession, type Session } from '../test/e2e/support/session.ts';
import { checkout, writeResults } from './support/results.ts';
import { spreadOf, timed } from './support/statistics.ts';

/**
 * What a backup costs, beside tar and zstd, borg and restic on the same tree in the same run, all in one native appliance:
 * `npm run bench:backup`. DEVSERVER_BENCH_DIR: its folder; without devserver.yaml there it is built.
 * DEVSERVER_BENCH_GB: sizes of the data; DEVSERVER_BENCH_RUNS.
 */
const dir = process.env.DEVSERVER_BENCH_DIR ?? 'build/bench/backup';
const sizes = (process.env.DEVSERVER_BENCH_GB ?? '0.5,5').split(',').map(Number);
const runs = Number(process.env.DEVSERVER_BENCH_RUNS ?? '3');
const folder = '/srv/.bench';
const names = ['first', 'second', 'third'];
/** What a backup holds, as far as it is large. */
const roots = names.flatMap((name) => [
  `git/${name}.git`,
  `maven/repositories/${name}`,
  `ci/hudson/jobs/${name}`,
  `trac/${name}`,
]);
let session: Session;
const rows: Record<string, unknown>[] = [];

const shell = (script: string): Promise<string> => session.run(['bash', '-euo', 'pipefail', '-c', script]);
/** Nothing of it in memory: by this computer, whose kernel it is. */
async function cold(): Promise<void> {
  await shell('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

interface Stage {
  readonly type: string;
  readonly name: string;
  readonly state: string;
  readonly seconds: number;
}

/** A command of the appliance: seconds in all and by stage, and its result. */
async function ours(
  ...args: string[]
): Promise<{ seconds: number; stages: Record<string, number>; result: Record<string, unknown> }> {
  await cold();
  let said = '';
  const seconds = await timed(async () => {
    said = await session.run(['devserver', ...args, '--json']);
  });
  const lines = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Stage);
  const stages = Object.fromEntries(
    lines.filter(({ type, state }) => type === 'stage' && state === 'done').map((it) => [it.name, it.seconds]),
  );
  return { seconds, stages, result: lines.at(-1) as unknown as Record<string, unknown> };
}

/** A script of somebody else's programs, on the disk when it ends. */
async function theirs(script: string): Promise<number> {
  await cold();
  return timed(() => shell(`cd /srv; ${script}; sync --file-system ${folder}`));
}

beforeAll(async () => {
  const { stdout } = await cli(['status', dir, '--json']);
  if (!stdout.includes('"running":true')) {
    await mustCli([dir, '--yes', '--base', 'debian-13', '--data-disk', '40G', '--plain']);
    await mustCli(['up', dir, '--backend', 'nspawn', '--wait', '--plain']);
  }
  session = openSession(dir);
  for (const name of names)
    if ((await session.tryRun(['devserver', 'project', 'show', name])).exitCode !== 0)
      await session.run(['newproject', name, '--vcs', 'git', '--yes']);
  await shell('apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -qq -y borgbackup restic > /dev/null');
  await shell(`rm -rf ${folder}; mkdir -m 700 ${folder}`);
});
afterAll(async () => {
  await session?.tryRun(['rm', '-rf', folder]);
  await session?.close();
});

it.each(sizes)('%s GB', { timeout: 3_600_000 }, async (size) => {
  const program = readFileSync(path.join(checkout, 'bench/support/backup-data.py'), 'utf8');
  const there = Number(
    await shell(`du --bytes --summarize --total ${roots.map((it) => `/srv/${it}`).join(' ')} | tail -n 1 | cut -f 1`),
  );
  const missing = Math.max(0, Math.round(size * 1e9 - there));
  await session.run(['python3', '-', String(missing), String(rows.length + 1), ...names], program);
  const tree = roots.join(' ');
  const times: Record<string, number[]> = {};
  const keep = (what: string, seconds: number): void => {
    times[what] = [...(times[what] ?? []), seconds];
  };
  const bytes: Record<string, number> = {};
  const sizeOf = async (what: string, place: string): Promise<void> => {
    bytes[what] = Number(await shell(`du --bytes --summarize ${place} | cut -f 1`));
  };
  const pauses: number[] = [];
  let content = 0;
  for (let run = 0; run < runs; run += 1) {
    keep('tar | zstd -T0 -3', await theirs(`tar --create ${tree} | zstd --quiet -T0 -3 --force -o ${folder}/tree.tar.zst`));
    await sizeOf('tar | zstd -T0 -3', `${folder}/tree.tar.zst`);
    await shell(`rm ${folder}/tree.tar.zst`);
    const plain = await ours('backup', 'create', '--to', folder, '--plain');
    keep('create, not encrypted: writing', plain.stages.write ?? Number.NaN);
    keep('create, not encrypted: all, with reading back', plain.seconds);
    const file = String(plain.result.file);
    pauses.push(Number(plain.result.pause));
    content = Number(plain.result.content);
    await sizeOf('create, not encrypted', file);
    keep('verify', (await ours('backup', 'verify', file)).seconds);
    keep('zstd -t', await theirs(`zstd --test --quiet ${file}`));
    const prepared = await ours('restore', file, '--yes', '--no-reboot');
    keep(
      'restore: laid out, loaded and flushed',
      (prepared.stages.read ?? 0) + (prepared.stages.ldap ?? 0) + (prepared.stages.flush ?? 0),
    );
    await session.run(['devserver', 'restore', '--cancel']);
    keep(
      'zstd -d | tar -x',
      await theirs(`mkdir ${folder}/x; zstd --decompress --quiet --stdout ${file} | tar --extract --directory ${folder}/x`),
    );
    await shell(`rm -rf ${folder}/x ${folder}/*.devserver`);
    const locked = await ours('backup', 'create', '--to', folder);
    keep('create, encrypted: all, with reading back', locked.seconds);
    await shell(`rm -rf ${folder}/*.devserver`);
    const borg = `export BORG_BASE_DIR=${folder}/home; borg init --encryption none ${folder}/borg; borg create --compression zstd,3 ${folder}/borg::a ${tree}`;
    keep('borg create, zstd,3, not encrypted', await theirs(borg));
    await sizeOf('borg create, zstd,3, not encrypted', `${folder}/borg`);
    const restic = `export RESTIC_PASSWORD=x RESTIC_CACHE_DIR=${folder}/cache; restic --quiet --repo ${folder}/restic init; restic --quiet --repo ${folder}/restic backup ${tree}`;
    keep('restic backup', await theirs(restic));
    await sizeOf('restic backup', `${folder}/restic`);
    await shell(`rm -rf ${folder}/*`);
  }
  expect(content).toBeGreaterThan(size * 0.9e9);
  rows.push({
    gigabytes: size,
    content,
    files: Number(await shell(`find ${roots.map((it) => `/srv/${it}`).join(' ')} -type f | wc -l`)),
    pause: spreadOf(pauses),
    seconds: Object.fromEntries(Object.entries(times).map(([what, values]) => [what, spreadOf(values)])),
    bytes,
  });
  writeResults('backup', { runs, rows });
});
