import type { BaseData } from '../kernel/catalogue/base-schema.ts';
import type { ComponentData } from '../kernel/catalogue/component-schema.ts';
import type { CommandContext } from './context.ts';

/** `list`: bases and components with pinned versions, licence and state of support. */
export function runList({ catalogue: load, output }: Pick<CommandContext, 'catalogue' | 'output'>): void {
  const catalogue = load();
  const bases = [...catalogue.bases.values()].map(listedBase);
  const components = [...catalogue.components.values()].map(({ data }) => listedComponent(data));
  output.result(asText(bases, components), { bases, components });
}

interface ListedBase {
  readonly name: string;
  readonly title: string;
  readonly suite: string;
  readonly supportedUntil: string;
  readonly proven: boolean;
  readonly state: string;
}

interface ListedComponent {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly licence: string;
  readonly provides: readonly string[];
  /** Pinned artifacts; what comes as a package has the version of the base's archive at build. */
  readonly versions: readonly PinnedVersion[];
  readonly proven: boolean;
  readonly retired: boolean;
  readonly state: string;
}

interface PinnedVersion {
  readonly artifact: string;
  /** Absent where only an address is pinned. */
  readonly version?: string;
}

function listedBase({ name, title, suite, supportedUntil, unproven }: BaseData): ListedBase {
  return { name, title, suite, supportedUntil, proven: unproven === undefined, state: provenState(unproven) };
}

function listedComponent(data: ComponentData): ListedComponent {
  const { name, title, summary, licence, provides, support } = data;
  const { retired, unproven } = support;
  const versions = data.install.downloads.map(pinnedVersion);
  return { name, title, summary, licence, provides, versions, proven: unproven === undefined, retired, state: stateOf(support) };
}

function pinnedVersion({ maven, npm, pypi, url, version }: ComponentData['install']['downloads'][number]): PinnedVersion {
  const [, artifact, mavenVersion] = maven?.split(':') ?? [];
  const known = mavenVersion ?? version;
  return { artifact: artifact ?? npm ?? pypi ?? url ?? '', ...(known === undefined ? {} : { version: known }) };
}

function provenState(unproven: string | undefined): string {
  return unproven === undefined ? 'proven' : `unproven: ${unproven}`;
}

function stateOf({ retired, protectedBy, instead, unproven }: ComponentData['support']): string {
  const proof = retired && unproven === undefined ? [] : [provenState(unproven)];
  const upstream = retired ? ['retired upstream', protectedBy ?? 'unprotected'] : [];
  return [...proof, ...upstream, ...(instead === undefined ? [] : [`instead: ${instead}`])].join('; ');
}

function asText(bases: readonly ListedBase[], components: readonly ListedComponent[]): string {
  const ofBases = columns(bases.map(({ name, title, supportedUntil, state }) => [name, title, `until ${supportedUntil}`, state]));
  const ofComponents = columns(components.map(({ name, title, licence, state }) => [name, title, licence, state]));
  const indent = ' '.repeat(2 + widest(components.map(({ name }) => name)) + 2);
  const lines = components.flatMap(({ versions }, index) => [
    ofComponents[index] ?? '',
    ...(versions.length === 0 ? [] : [`${indent}${versions.map(shownVersion).join(', ')}`]),
  ]);
  return [
    'Bases',
    ...ofBases,
    'Components, with the versions of what is pinned',
    ...lines,
    "All else comes as packages, in the versions of the base's archive at build; DIR/out/image.json lists them.",
  ].join('\n');
}

function shownVersion({ artifact, version }: PinnedVersion): string {
  return version === undefined ? artifact : `${artifact} ${version}`;
}

/** Rows with their cells below each other, indented by two. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_cell, column) => widest(rows.map((row) => row[column] ?? '')));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(({ length }) => length));
}
