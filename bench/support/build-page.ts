import type { MachineDescription } from './machine.ts';
import type { Spread } from './statistics.ts';

/** One thing that was built, so many times. */
export interface BuildRow {
  readonly what: string;
  readonly wall: Spread;
  readonly cpu: Spread;
}

/** Memory of one unit, bytes. */
export interface UnitShare {
  readonly unit: string;
  readonly bytes: number;
}

/** bench/results/build.json. */
export interface BuildResults {
  readonly measured: string;
  readonly commit: string;
  readonly machine: MachineDescription;
  readonly runs: number;
  readonly packages: number;
  readonly mkosi: string;
  readonly rows: readonly BuildRow[];
  /** Bytes of the compressed system disk. */
  readonly images: Readonly<Record<string, number>>;
}

/** bench/results/idle.json. */
export interface IdleResults {
  readonly measured: string;
  readonly commit: string;
  readonly units: readonly UnitShare[];
}

/** docs/build-performance.md, made from the results of `npm run bench:build`. Pure. */
export function buildPage(
  { measured, commit, machine, runs, packages, mkosi, rows, images }: BuildResults,
  { units: memory, ...idle }: IdleResults,
): string {
  const cpu = (what: string): number => rows.find((row) => row.what === what)?.cpu.median ?? Number.NaN;
  const wall = (what: string): number => rows.find((row) => row.what === what)?.wall.median ?? Number.NaN;
  const share = (peer: string): string => (cpu('create-devserver') / cpu(peer)).toFixed(2);
  const inAll = memory.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    '# What a build costs, and what it makes',
    '',
    `Measured by \`npm run bench:build\` on ${measured.slice(0, 10)} at commit ${commit}: ${machine.cores} processors (${machine.processor}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, ${machine.system}, Node.js ${machine.node}. This page is made from \`bench/results/build.json\`.`,
    '',
    `The ${packages} packages of the default stack, ${runs} times by each, one after the other, with everything that has to be fetched on the disk already. create-devserver makes a disk that boots with BIOS and UEFI, and everything that is not a package; mmdebstrap alone makes a tar of the packages; mkosi (${mkosi}) makes a disk that boots with UEFI.`,
    '',
    '![Processor seconds from packages to a disk](figures/build.svg)',
    '',
    '| What | Processor seconds: minimum | Median | Maximum | Seconds: minimum | Median | Maximum |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${[row.what, ...cells(row.cpu), ...cells(row.wall)].join(' | ')} |`),
    '',
    '| What | is | to reach |',
    '| --- | --- | --- |',
    `| processor seconds as a share of mmdebstrap's own | ${share('mmdebstrap')} | 1.15 |`,
    `| processor seconds as a share of mkosi's | ${share('mkosi')} | 1.00 |`,
    `| one option changed, to a bootable disk | ${wall('one option changed, to a bootable disk').toFixed(1)} s | 8 s |`,
    `| one option changed, to a compressed qcow2 | ${wall('one option changed, to a compressed qcow2').toFixed(1)} s | 20 s |`,
    `| nothing changed | ${wall('nothing changed').toFixed(1)} s | 1 s |`,
    `| compressed image, default stack | ${megabytes(images.default)} | 500 MB |`,
    `| compressed image, without Archiva and Hudson | ${megabytes(images['without Archiva and Hudson'])} | 300 MB |`,
    `| memory of the idle appliance | ${megabytes(inAll)} | 1200 MB |`,
    '',
    '## Memory of the idle appliance',
    '',
    `The default stack natively, two minutes after it is ready, nobody logged in, on ${idle.measured.slice(0, 10)} at commit ${idle.commit}: what each unit's processes hold, pages that several share in parts (PSS); not the kernel's, nor the cache of files.`,
    '',
    '| Unit | Memory |',
    '| --- | --- |',
    ...memory.filter(({ bytes }) => bytes >= 1e6).map(({ unit, bytes }) => `| ${unit} | ${megabytes(bytes)} |`),
    '',
  ].join('\n');
}

const cells = ({ min, median, max }: Spread): string[] => [min, median, max].map((value) => value.toFixed(1));
const megabytes = (bytes: number | undefined): string => `${((bytes ?? Number.NaN) / 1e6).toFixed(0)} MB`;
