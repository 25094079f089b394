import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Fault, shownPath } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import { type TreeFile, treeOf } from './component-tree.ts';
import { driverPrograms } from './driver-program.ts';
import type { Component } from './load.ts';
import { whyReserved } from './reserved.ts';

/** Two components never write one path, be it at build or at boot. */
export function oneFileEach(components: readonly Component[]): Fault[] {
  const writers = new Map<string, string>();
  return components.flatMap((component) =>
    written(component).flatMap(({ target, fault }) => {
      const other = writers.get(target);
      writers.set(target, other ?? component.data.name);
      return other === undefined ? [] : [fault(`${target} is already written by ${other}`)];
    }),
  );
}

/** Nobody's component replaces the accounts of the system, or writes where the file would never be seen. */
export function systemKeepsItsFiles(components: readonly Component[]): Fault[] {
  return components.flatMap((component) =>
    writtenAtBuild(component).flatMap(({ target, fault }) => {
      const why = whyReserved(target);
      return why === undefined ? [] : [fault(`${target} ${why}`)];
    }),
  );
}

/** An owner or a mode for a file that is not there protects nothing. */
export function modesNameFiles(components: readonly Component[]): Fault[] {
  return components.flatMap((component) => {
    const targets = allFiles(component).map(({ target }) => target);
    return Object.keys(component.data.modes)
      .filter((file) => !targets.includes(file))
      .map((file) =>
        component.yaml.faultAt(['modes', file], `neither files/ nor boot/ holds ${file}`, didYouMean(file, targets)),
      );
  });
}

/** What a drop-in folder's owner refuses stands in no file put there. */
export function dropinsAreObeyed(components: readonly Component[]): Fault[] {
  const folders = components.flatMap(({ data }) =>
    Object.entries(data.dropins).flatMap(([folder, it]) =>
      typeof it === 'string' ? [] : it.refuse.map((pattern) => ({ folder, pattern: new RegExp(pattern, 'i') })),
    ),
  );
  return components.flatMap((component) =>
    allFiles(component).flatMap((file) =>
      folders
        .filter(({ folder }) => file.target.startsWith(folder))
        .flatMap(({ folder, pattern }) =>
          linesThatMatch(file.source, pattern).map((line) =>
            faultIn(file, `files in ${folder} may not hold ${pattern.source}`, line),
          ),
        ),
    ),
  );
}

/** A driver is declared and there, or neither. */
export function driversAreThere(components: readonly Component[]): Fault[] {
  return components.flatMap(({ data, yaml, folder }) => {
    const [program, other] = driverPrograms.filter((name) => existsSync(path.join(folder, name)));
    if (other !== undefined) return [yaml.faultAt(['name'], `there are both ${program} and ${other}`)];
    if (data.driver !== undefined && program === undefined)
      return [yaml.faultAt(['driver'], 'there is neither driver.ts nor driver.py')];
    if (data.driver === undefined && program !== undefined)
      return [yaml.faultAt(['name'], `there is a ${program}, but no driver: says as which account it runs`)];
    if (data.driver !== undefined) return [];
    const programs = (['verify', 'migrations'] as const).flatMap((key) =>
      (data.backup?.[key] ?? []).map((_, index) =>
        yaml.faultAt(['backup', key, index], 'this component has no driver, as whose account it could run'),
      ),
    );
    const checks = data.checks.flatMap((check, index) =>
      check.driver === undefined ? [] : [yaml.faultAt(['checks', index, 'driver'], 'this component has no driver')],
    );
    return [...programs, ...checks];
  });
}

/** A path that a component writes, and how to say what is wrong with that. */
interface Written {
  readonly target: string;
  readonly fault: (message: string) => Fault;
}

function written(component: Component): Written[] {
  return [...writtenAtBuild(component), ...treeOf(component.folder, 'boot').map(writtenFile)];
}

function writtenAtBuild(component: Component): Written[] {
  return [
    ...treeOf(component.folder, 'files').map(writtenFile),
    ...Object.keys(component.data.install.links).map((target) => ({
      target,
      fault: (message: string) => component.yaml.faultAt(['install', 'links', target], message),
    })),
  ];
}

function writtenFile(file: TreeFile): Written {
  return { target: file.target, fault: (message) => faultIn(file, message) };
}

function allFiles({ folder }: Component): TreeFile[] {
  return [...treeOf(folder, 'files'), ...treeOf(folder, 'boot')];
}

function linesThatMatch(source: string, pattern: RegExp): number[] {
  return readFileSync(source, 'utf8')
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [index + 1] : []));
}

function faultIn({ source }: TreeFile, message: string, line = 1): Fault {
  return { file: shownPath(source), line, column: 1, message };
}
