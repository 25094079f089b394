import type { HookCost } from './hooks.ts';
import type { MachineDescription } from './machine.ts';
import type { Spread } from './statistics.ts';

/** What one number of projects costs: seconds, and MiB of memory. */
export interface Row {
  readonly projects: number;
  readonly newproject: number;
  readonly list: number;
  readonly memberAdd: number;
  readonly apacheStart: number;
  readonly doctor: number;
  readonly memoryMiB: number;
}

/** bench/results/projects.json. */
export interface ProjectResults {
  readonly measured: string;
  readonly commit: string;
  readonly machine: MachineDescription;
  readonly newproject: Spread;
  readonly newprojectNoMaven: Spread;
  readonly trac: Spread;
  readonly hooks: Readonly<Record<string, HookCost>>;
  readonly growth: readonly Row[];
}

const seconds = (value: number): string => `${value.toFixed(value < 0.1 ? 3 : 2)} s`;

/** docs/performance.md, made from the results of `npm run bench:projects`. Pure. */
export function performancePage(results: ProjectResults): string {
  const { machine, growth } = results;
  const first = growth[0];
  const last = growth.at(-1);
  const ratio = first === undefined || last === undefined ? Number.NaN : last.newproject / first.newproject;
  return [
    '# What projects cost',
    '',
    `Measured by \`npm run bench:projects\` on ${results.measured.slice(0, 10)} at commit ${results.commit}, in a native appliance of the default stack, warm: ${machine.cores} processors (${machine.processor}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, ${machine.system}, Node.js ${machine.node}. This page is made from \`bench/results/projects.json\`.`,
    '',
    '## A new project',
    '',
    '| What | Runs | Minimum | Median | Maximum |',
    '| --- | --- | --- | --- | --- |',
    spreadRow('everything, git, Mercurial and Subversion in turn', results.newproject),
    spreadRow('`--no-maven`', results.newprojectNoMaven),
    spreadRow("of it Trac's part", results.trac),
    '',
    '## What grows',
    '',
    '![newproject, list, member add and Apache start by number of projects](figures/projects.svg)',
    '',
    '| Projects | newproject | list | member add | Apache start | doctor | Memory in use |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...growth.map(
      (row) =>
        `| ${row.projects} | ${seconds(row.newproject)} | ${seconds(row.list)} | ${seconds(row.memberAdd)} | ${seconds(row.apacheStart)} | ${seconds(row.doctor)} | ${row.memoryMiB} MiB |`,
    ),
    '',
    `newproject at ${last?.projects ?? '?'} projects takes ${ratio.toFixed(2)} times as long as at ${first?.projects ?? '?'}.`,
    '',
    '- newproject: Archiva writes all its repositories anew for each one that comes ([ADR 0016](adr/0016-archivas-cached-roles.md), [ADR 0017](adr/0017-who-sees-a-repository.md)).',
    '- list: it is longer.',
    "- doctor looks at every part of every project. Its requests to Hudson take longer with every project: at each of them Hudson asks the directory for its driver's groups, and the directory tries every group that follows the people.",
    '- Memory was not measured by process.',
    '- Apache knows no project: its configuration is the same for any number.',
    ...((last?.projects ?? 0) < 1000 ? ['', `More than ${last?.projects ?? 0} projects were not measured.`] : []),
    '',
    '## A push or commit with the hooks, and without',
    '',
    'Real clients over HTTPS, in three turns of ten each; without: nothing in place of the hooks.',
    '',
    '| VCS | With hooks, median | Without, median | Extra |',
    '| --- | --- | --- | --- |',
    ...Object.entries(results.hooks).map(
      ([kind, cost]) => `| ${kind} | ${seconds(cost.with.median)} | ${seconds(cost.without.median)} | ${seconds(cost.extra)} |`,
    ),
    '',
  ].join('\n');
}

function spreadRow(what: string, { runs, min, median, max }: Spread): string {
  return `| ${what} | ${runs} | ${seconds(min)} | ${seconds(median)} | ${seconds(max)} |`;
}
