import type { MachineDescription } from './machine.ts';
import type { Spread } from './statistics.ts';

/** One size of the data, with the seconds each way of doing it took. */
export interface BackupRow {
  readonly gigabytes: number;
  /** Bytes of content in a backup. */
  readonly content: number;
  readonly files: number;
  readonly pause: Spread;
  readonly seconds: Readonly<Record<string, Spread>>;
  readonly bytes: Readonly<Record<string, number>>;
}

/** bench/results/backup.json. */
export interface BackupResults {
  readonly measured: string;
  readonly commit: string;
  readonly machine: MachineDescription;
  readonly runs: number;
  readonly rows: readonly BackupRow[];
}

/** What is compared with what: ours, the peer, and the share of the peer's speed that is to be reached. */
const comparisons = [
  ['create, not encrypted: writing', 'tar | zstd -T0 -3', 0.9],
  ['restore: laid out, loaded and flushed', 'zstd -d | tar -x', 0.8],
  ['verify', 'zstd -t', 0.8],
] as const;

/** docs/backup-performance.md, made from the results of `npm run bench:backup`. Pure. */
export function backupPage({ measured, commit, machine, runs, rows }: BackupResults): string {
  return [
    '# What backups cost',
    '',
    `Measured by \`npm run bench:backup\` on ${measured.slice(0, 10)} at commit ${commit}, in a native appliance of the default stack: ${machine.cores} processors (${machine.processor}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, ${machine.system}, Node.js ${machine.node}. This page is made from \`bench/results/backup.json\`.`,
    '',
    `All of it in the same machine, on the same data disk, one after the other, ${runs} times each; caches are dropped before each, and what is written is on the disk at the end. The data is mixed and nobody has it twice: packs and jars that do not compress (70 %), logs and texts that do.`,
    '',
    'Where the share is not reached: zstd -t of what does not compress checks a sum of 64 bits over it, while verifying takes SHA-256 of every byte twice, of the file and of its contents, in one process. Laying out holds every digest, owner and mode. Both are bound by one processor where tar and zstd use two.',
    '',
    ...rows.flatMap(section),
  ].join('\n');
}

function section({ gigabytes, content, files, pause, seconds, bytes }: BackupRow): string[] {
  const ratio = (ours: string, peer: string): string =>
    ((seconds[peer]?.median ?? Number.NaN) / (seconds[ours]?.median ?? Number.NaN)).toFixed(2);
  return [
    `## ${gigabytes} GB`,
    '',
    `${(content / 1e9).toFixed(2)} GB of content in ${files} files. Jobs waited ${pause.median.toFixed(2)} s (at most ${pause.max.toFixed(2)} s).`,
    '',
    '| What | Minimum | Median | Maximum | MB/s | Size |',
    '| --- | --- | --- | --- | --- | --- |',
    ...Object.entries(seconds).map(([what, { min, median, max }]) => {
      const size = bytes[what] ?? bytes[what.replace(/:.*/, '')];
      const shown = size === undefined || what.includes('all, with') ? '' : `${(size / 1e6).toFixed(0)} MB`;
      return `| ${inCell(what)} | ${min.toFixed(1)} s | ${median.toFixed(1)} s | ${max.toFixed(1)} s | ${(content / 1e6 / median).toFixed(0)} | ${shown} |`;
    }),
    '',
    '| Speed of | as a share of | is | to reach |',
    '| --- | --- | --- | --- |',
    ...comparisons.map(
      ([ours, peer, reach]) => `| ${inCell(ours)} | ${inCell(peer)} | ${ratio(ours, peer)} | ${reach.toFixed(2)} |`,
    ),
    ...['borg create, zstd,3, not encrypted', 'restic backup'].map((peer) => {
      const [own, other] = [bytes['create, not encrypted'] ?? Number.NaN, bytes[peer] ?? Number.NaN];
      return `| create, not encrypted: writing | ${inCell(peer)} | ${ratio('create, not encrypted: writing', peer)}, at ${(own / other).toFixed(2)} times its size | 1.00, at 1.10 |`;
    }),
    '',
  ];
}

/** A pipe would end the cell. */
const inCell = (text: string): string => text.replaceAll('|', '\\|');
