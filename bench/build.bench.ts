import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'vitest';
import { parse, stringify } from 'yaml';
import { openCache } from '../src/image/cache.ts';
import type { ImageContext } from '../src/image/context.ts';
import { fetchDebs } from '../src/image/debs.ts';
import { writeLocalArchive } from '../src/image/local-archive.ts';
import { realSystem } from '../src/kernel/system.ts';
import { readLock } from '../src/lock/lock-file.ts';
import { mustCli } from '../test/e2e/support/cli.ts';
import { barsSvg } from './support/bars.ts';
import { type BuildRow, buildPage, type UnitShare } from './support/build-page.ts';
import { type Cost, costOf } from './support/cost.ts';
import { mkosiCommand, mkosiVersion, preparedMkosi } from './support/mkosi.ts';
import { checkout, writePlot, writeResults } from './support/results.ts';
import { spreadOf } from './support/statistics.ts';

/**
 * What builds cost, with everything that has to be fetched in the cache: `npm run bench:build`. The package list of the
 * default stack, by us, by mmdebstrap alone and by mkosi, one after the other, RUNS times.
 * DEVSERVER_BENCH_DIR: where, and what is there already is used.
 */
const dir = path.resolve(process.env.DEVSERVER_BENCH_DIR ?? 'build/bench/build');
const runs = Number(process.env.DEVSERVER_BENCH_RUNS ?? '3');
const cache = path.join(dir, 'cache');
const server = path.join(dir, 'full');
const small = path.join(dir, 'small');
const build = (folder: string, ...more: string[]): string[] => [
  ...[process.execPath, path.join(checkout, 'start.mjs'), 'run', 'build', folder],
  ...['--plain', '--cache', cache, ...more],
];

it('measures builds', async () => {
  mkdirSync(dir, { recursive: true });
  const make = ['--yes', '--base', 'debian-13', '--cache', cache, '--plain', '--output', 'qcow2'];
  await mustCli(['create', server, ...make]);
  await mustCli(['create', small, ...make, '--maven', 'none', '--ci', 'none']);
  const archive = await archiveOf(server);
  const mkosi = await preparedMkosi(path.join(dir, 'mkosi'), namesOf(server), readLock(server)?.sources ?? []);
  const costs = new Map<string, Cost[]>();
  const measure = (what: string, command: readonly string[], cwd?: string): void => {
    costs.set(what, [...(costs.get(what) ?? []), costOf(command, path.join(dir, 'last.log'), cwd)]);
  };
  for (let run = 0; run < runs; run += 1) {
    for (const folder of [path.join(cache, 'layer'), path.join(cache, 'artifact'), path.join(server, 'out')])
      rmSync(folder, { recursive: true, force: true });
    measure('create-devserver', build(server, '--output', 'raw'));
    rmSync(path.join(dir, 'root.tar'), { force: true });
    measure('mmdebstrap', plainBootstrap(archive));
    measure('mkosi', mkosiCommand(mkosi));
    changeAnOption(server);
    measure('one option changed, to a bootable disk', build(server, '--output', 'raw'));
    changeAnOption(server);
    measure('one option changed, to a compressed qcow2', build(server));
    measure('nothing changed', build(server));
  }
  await mustCli(['build', small, '--cache', cache, '--plain']);
  const rows: BuildRow[] = [...costs].map(([what, all]) => ({
    what,
    wall: spreadOf(all.map(({ wall }) => wall)),
    cpu: spreadOf(all.map(({ cpu }) => cpu)),
  }));
  const images = { default: qcow2Of(server), 'without Archiva and Hudson': qcow2Of(small) };
  writeResults('build', { runs, packages: namesOf(server).length, mkosi: mkosiVersion(mkosi), rows, images });
  writePlot(
    'build',
    barsSvg(
      'Processor seconds from packages to a disk',
      's',
      rows.slice(0, 3).map(({ what, cpu }) => [what, cpu.median]),
    ),
  );
  writePage();
});

it('measures the idle appliance', async () => {
  mkdirSync(dir, { recursive: true });
  if (!existsSync(path.join(server, 'out/image.json')))
    await mustCli(['create', server, '--yes', '--base', 'debian-13', '--cache', cache, '--plain']);
  writeResults('idle', { units: await idleMemory(server) });
  writePage();
});

/** From the results that are there. */
function writePage(): void {
  const resultsOf = (bench: string) => {
    const file = path.join(checkout, 'bench/results', `${bench}.json`);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  };
  const [builds, idle] = [resultsOf('build'), resultsOf('idle')];
  if (builds !== undefined && idle !== undefined)
    writeFileSync(path.join(checkout, 'docs/build-performance.md'), buildPage(builds, idle));
}

function namesOf(folder: string): string[] {
  return (readLock(folder)?.packages ?? []).map(({ name }) => name);
}

/** An archive of exactly the locked packages, for mmdebstrap alone. Its line for apt. */
async function archiveOf(folder: string): Promise<string> {
  const lock = readLock(folder);
  if (lock === undefined) throw new Error(`${folder} has no lock`);
  const context: ImageContext = { dir: folder, cache, system: realSystem(), report: () => {}, mirrors: {} };
  const debs = await fetchDebs({ lock, packages: lock.packages, stage: 'bench' }, await openCache(cache), context);
  const place = path.join(dir, 'archive');
  rmSync(place, { recursive: true, force: true });
  return writeLocalArchive(place, debs, { suite: 'trixie', architecture: 'amd64' });
}

/** mmdebstrap as one would type it: these packages into a tar, with nothing of ours. */
function plainBootstrap(archive: string): string[] {
  const include = `--include=${namesOf(server).join(',')}`;
  const to = ['trixie', path.join(dir, 'root.tar'), archive];
  return [
    'mmdebstrap',
    '--variant=apt',
    '--mode=root',
    '--format=tar',
    '--aptopt=Apt::Install-Recommends "false"',
    include,
    ...to,
  ];
}

/** Another value of an option that a configuration file shows. */
function changeAnOption(folder: string): void {
  const file = path.join(folder, 'devserver.yaml');
  const answers = parse(readFileSync(file, 'utf8')) as { options: { hudson?: { heap?: string } } };
  const heap = answers.options.hudson?.heap === '511M' ? '510M' : '511M';
  writeFileSync(file, stringify({ ...answers, options: { ...answers.options, hudson: { heap } } }, { lineWidth: 0 }));
}

function qcow2Of(folder: string): number {
  const image = JSON.parse(readFileSync(path.join(folder, 'out/image.json'), 'utf8')) as {
    files: Record<string, { size: number }>;
  };
  return image.files['system.qcow2']?.size ?? Number.NaN;
}

/** What the processes of each unit hold of a native appliance, shared pages in parts (PSS): most first. */
async function idleMemory(folder: string): Promise<UnitShare[]> {
  await mustCli(['up', folder, '--backend', 'nspawn', '--wait', '--plain']);
  try {
    await new Promise((resolve) => setTimeout(resolve, 120_000));
    const stdout = await mustCli(['exec', folder, '--', 'python3', '-c', sharesScript]);
    return (JSON.parse(stdout) as UnitShare[]).sort((a, b) => b.bytes - a.bytes);
  } finally {
    await mustCli(['down', folder]);
  }
}

// a container has no memory controller of its own, so processes are asked, not control groups
const sharesScript = `
import collections, glob, json, re
shares = collections.Counter()
for process in glob.glob('/proc/[0-9]*'):
    try:
        group = open(process + '/cgroup').read().strip().split('/')
        pss = re.search(r'^Pss: +([0-9]+) kB', open(process + '/smaps_rollup').read(), re.M)
    except OSError:
        continue
    unit = next((it for it in reversed(group) if it.endswith(('.service', '.scope', '.slice'))), 'others')
    # the session that asks
    if pss and not unit.startswith('session-'):
        shares[unit] += int(pss.group(1)) * 1024
print(json.dumps([{'unit': unit, 'bytes': size} for unit, size in shares.items()]))
`;
