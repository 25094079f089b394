import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { type Catalogue, loadCatalogue } from '../../src/kernel/catalogue/load.ts';
import { DataError } from '../../src/kernel/errors.ts';
import { type Answers, answersSchema } from '../../src/plan/answers.ts';

/** A component.yaml: its text where places matter, else an object over the least a component needs. */
export type ComponentFixture = string | Readonly<Record<string, unknown>>;

export interface StacksFixture {
  readonly components?: Readonly<Record<string, ComponentFixture>>;
  /** Components of the stack `default`; absent: all. */
  readonly stack?: Readonly<Record<string, unknown>>;
  /** Further files, by path below the folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** Leave out base and stack, as a folder for --stacks does. */
  readonly onlyComponents?: boolean;
}

const base = {
  name: 'debian-13',
  title: 'Debian 13 (trixie)',
  distribution: 'debian',
  suite: 'trixie',
  architecture: 'amd64',
  packageComponents: ['main'],
  keyring: { file: '/k.gpg', package: 'k' },
  supportedUntil: '2028-08',
  auto: 'fallback',
  packages: ['systemd'],
  roles: { jre8: { package: 'openjdk-8-jre-headless' } },
  kernel: { arguments: 'quiet', keep: [], required: [] },
};

/** Writes a stacks folder to a new temporary directory and returns its path. */
export function writeStacks(fixture: StacksFixture): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'stacks-'));
  const components = Object.entries(fixture.components ?? {});
  for (const [name, data] of components)
    write(folder, `components/${name}/component.yaml`, typeof data === 'string' ? data : stringify({ ...least(name), ...data }));
  if (fixture.onlyComponents !== true) {
    write(folder, 'bases/debian-13.yaml', stringify(base));
    write(
      folder,
      'default.yaml',
      stringify({ name: 'default', title: 'Test', components: components.map(([name]) => name), ...fixture.stack }),
    );
  }
  for (const [file, text] of Object.entries(fixture.files ?? {})) write(folder, file, text);
  return folder;
}

/** The catalogue of a fixture. */
export function catalogueOf(fixture: StacksFixture): Catalogue {
  return loadCatalogue([writeStacks(fixture)]);
}

/** Answers that name only what a test is about. */
export function answersWith(given: Readonly<Record<string, unknown>> = {}): Answers {
  return answersSchema.parse({
    version: 1,
    name: 'test',
    hostname: 'test',
    base: 'debian-13',
    machine: { memory: '3G', systemDisk: '4G', dataDisk: '20G' },
    ...given,
  });
}

/** The DataError's faults as `file:line:col: sentence`, with the temporary folder cut away. */
export function faultsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    if (error.exitCode !== 3) throw new Error(`exit code ${error.exitCode}`);
    return error.details.map((line) => line.replace(/^.*\/stacks-[A-Za-z0-9]+\//, ''));
  }
  return [];
}

function least(name: string): Record<string, unknown> {
  return { name, title: name, summary: `${name} of a test`, licence: 'Apache-2.0' };
}

function write(folder: string, file: string, text: string): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
}
