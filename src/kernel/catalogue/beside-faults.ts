import type { Fault } from '../errors.ts';
import type { YamlFile } from '../yaml-file.ts';
import { type StackData, stackSchema } from './base-schema.ts';
import { type ComponentData, componentSchema } from './component-schema.ts';
import { driversAreThere, modesNameFiles, systemKeepsItsFiles } from './file-rules.ts';
import type { Component } from './load.ts';
import { heapsAreOptions, optionDefaultsFit } from './option-rules.ts';
import { accountsExist, needsAreMet, type Rule, secretsResolve, stateIsUnderSrv } from './rules.ts';
import { stackFits } from './stack-rules.ts';
import { wellFormed } from './well-formed.ts';

/** A component whose file is faulty: its well-formed parts, and the keys nobody can judge. */
export interface FaultyComponent {
  readonly component: Component;
  readonly broken: ReadonlySet<string>;
}

/** What can be said of a component in spite of its faults; `raw` is absent where its file is no YAML. */
export function faultyComponent(name: string, folder: string, raw: YamlFile<unknown> | undefined): FaultyComponent {
  const { parts, broken } = wellFormed(componentSchema, raw?.value);
  // the folder's name may be none a component can have
  const least = componentSchema.omit({ name: true }).parse({ title: name, summary: '', licence: '' });
  const data = { ...least, ...parts, name };
  const nowhere = (): Fault => ({ file: folder, line: 1, column: 1, message: '' });
  return { component: { data, yaml: { file: folder, faultAt: nowhere, ...raw, value: data }, folder }, broken };
}

/** What of a faulty stack file is well-formed. */
export function faultyStack(raw: YamlFile<unknown>): YamlFile<StackData> {
  const none: StackData = { name: '', title: '', components: [], choices: [], options: {} };
  return { ...raw, value: { ...none, ...wellFormed(stackSchema, raw.value).parts } };
}

/**
 * Beside faulty files: what else is wrong in all of them, as far as it is certain. Which components will meet in a
 * server nobody knows yet, so a reference is wrong when nothing at all is of that name.
 */
export function besideFaults(
  components: readonly Component[],
  faulty: readonly FaultyComponent[],
  stacks: readonly YamlFile<StackData>[],
): Fault[] {
  const all = [...components, ...faulty.map(({ component }) => component)];
  const isBroken = (component: Component, key: keyof ComponentData): boolean =>
    faulty.some((it) => it.component === component && it.broken.has(key));
  const isWhole = (key: keyof ComponentData): boolean => !all.some((component) => isBroken(component, key));
  const certain = certainRules.flatMap(({ rule, inAll, inOwn }) =>
    inAll !== undefined && !isWhole(inAll)
      ? []
      : rule(all.filter((component) => inOwn === undefined || !isBroken(component, inOwn))),
  );
  const known = new Map(all.map((it) => [it.data.name, isBroken(it, 'options') ? undefined : it.data]));
  return [...certain, ...stacks.flatMap((stack) => stackFits(stack, known))];
}

/** Rules that tell no more than they should where components are missing beside them, and what they have to know. */
const certainRules: readonly {
  readonly rule: Rule;
  /** Of every component. */
  readonly inAll?: keyof ComponentData;
  /** Of the component itself. */
  readonly inOwn?: keyof ComponentData;
}[] = [
  { rule: needsAreMet, inAll: 'provides' },
  { rule: accountsExist, inAll: 'accounts' },
  { rule: secretsResolve },
  { rule: optionDefaultsFit },
  { rule: heapsAreOptions, inOwn: 'options' },
  { rule: stateIsUnderSrv },
  { rule: systemKeepsItsFiles },
  { rule: modesNameFiles },
  { rule: driversAreThere, inOwn: 'driver' },
];
