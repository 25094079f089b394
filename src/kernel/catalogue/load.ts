import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type * as z from 'zod';
import { DataError, type Fault, shownPath, UserError } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import { readYaml, type YamlFile } from '../yaml-file.ts';
import { type BaseData, baseSchema, type StackData, stackSchema } from './base-schema.ts';
import { besideFaults, type FaultyComponent, faultyComponent, faultyStack } from './beside-faults.ts';
import { type ComponentData, componentSchema } from './component-schema.ts';
import { stackFits } from './stack-rules.ts';

/** A component as loaded: its data, its place on disk. */
export interface Component {
  readonly data: ComponentData;
  readonly yaml: YamlFile<ComponentData>;
  /** Folder that holds component.yaml. */
  readonly folder: string;
}

export interface Catalogue {
  readonly components: ReadonlyMap<string, Component>;
  readonly bases: ReadonlyMap<string, BaseData>;
  readonly stacks: ReadonlyMap<string, StackData>;
}

/** Why bases and components of a further folder count as unproven, unless they give a reason of their own. */
export const notOurs = 'it comes from a folder given with --stacks';

/**
 * Loads bases, stacks and components from one or more stacks folders; a later folder adds to an earlier one.
 * The first is ours; nobody but their author knows what those of the others are worth.
 * @throws DataError with all faults of all files at once.
 */
export function loadCatalogue(folders: readonly string[]): Catalogue {
  const faults: Fault[] = [];
  const components = new Map<string, Component>();
  const bases = new Map<string, BaseData>();
  const stacks = new Map<string, StackData>();
  const stackFiles: YamlFile<StackData>[] = [];
  const faulty: FaultyComponent[] = [];
  for (const [index, folder] of folders.entries()) {
    const isOurs = index === 0;
    requireStacks(folder);
    for (const name of foldersIn(path.join(folder, 'components'))) {
      const file = path.join(folder, 'components', name, 'component.yaml');
      const misnamed = wrongName(path.dirname(file));
      faults.push(...misnamed);
      // what is called so may be no component at all
      if (misnamed.length > 0 && !existsSync(file)) continue;
      const { yaml, raw } = read(file, componentSchema, faults);
      if (yaml === undefined) {
        faulty.push(faultyComponent(name, path.dirname(file), raw));
        continue;
      }
      if (yaml.value.name !== name && misnamed.length === 0)
        faults.push(yaml.faultAt(['name'], `name is "${yaml.value.name}" but the folder is "${name}"`));
      if (components.has(name))
        faults.push(yaml.faultAt(['name'], `component ${name} is already defined in another stacks folder`));
      components.set(name, { data: isOurs ? yaml.value : unprovenComponent(yaml.value), yaml, folder: path.dirname(file) });
    }
    for (const file of yamlFilesIn(path.join(folder, 'bases'))) {
      const { yaml } = read(file, baseSchema, faults);
      keep('base', bases, yaml === undefined || isOurs ? yaml : { ...yaml, value: unprovenBase(yaml.value) }, faults);
    }
    for (const file of yamlFilesIn(folder).filter((it) => path.basename(it) !== 'tools.yaml')) {
      const { yaml, raw } = read(file, stackSchema, faults);
      keep('stack', stacks, yaml, faults);
      if (yaml !== undefined) stackFiles.push(yaml);
      else if (raw !== undefined) stackFiles.push(faultyStack(raw));
    }
  }
  const all = [...components.values()];
  if (faults.length > 0) throw new DataError([...faults, ...besideFaults(all, faulty, stackFiles)]);
  const named = new Map(all.map(({ data }) => [data.name, data]));
  const unfit = stackFiles.flatMap((yaml) => stackFits(yaml, named));
  if (unfit.length > 0) throw new DataError(unfit);
  return { components, bases, stacks };
}

/** A folder beside the components whose name no component can have. */
function wrongName(folder: string): Fault[] {
  const message = componentSchema.shape.name.safeParse(path.basename(folder)).error?.issues[0]?.message;
  if (message === undefined) return [];
  const hint = 'every folder here is a component: rename it, or move it away';
  return [{ file: shownPath(folder), line: 1, column: 1, message: `the name of this folder ${message}`, hint }];
}

/** A folder in which nothing is found would be as good as not given. */
function requireStacks(folder: string): void {
  const about = statSync(folder, { throwIfNoEntry: false });
  if (about?.isDirectory() !== true)
    throw new UserError(about === undefined ? `there is no folder ${folder}` : `${folder} is no folder`, {
      exitCode: 2,
      hint: 'give --stacks a folder that holds components/',
    });
  const holds = (name: string): boolean => existsSync(path.join(folder, name));
  if (holds('components') || holds('bases') || yamlFilesIn(folder).some((file) => path.basename(file) !== 'component.yaml'))
    return;
  const above = [folder, path.dirname(folder)].find((it) => path.basename(it) === 'components');
  throw new UserError(`${folder} holds no components/, no bases/ and no stack`, {
    exitCode: 2,
    hint: above === undefined ? 'give --stacks a folder that holds components/' : `did you mean --stacks ${path.dirname(above)}?`,
  });
}

function unprovenComponent(data: ComponentData): ComponentData {
  return { ...data, support: { ...data.support, unproven: data.support.unproven ?? notOurs } };
}

function unprovenBase(data: BaseData): BaseData {
  return { ...data, unproven: data.unproven ?? notOurs };
}

/** The entry called `name`, or a usage error that names those there are. */
export function choose<T>(kind: string, entries: ReadonlyMap<string, T>, name: string): T {
  const found = entries.get(name);
  if (found !== undefined) return found;
  const names = [...entries.keys()].sort();
  throw new UserError(`there is no ${kind} "${name}"`, {
    exitCode: 2,
    hint: didYouMean(name, names) ?? `there are: ${names.join(', ')}`,
  });
}

function keep<T extends { name: string }>(
  kind: string,
  entries: Map<string, T>,
  yaml: YamlFile<T> | undefined,
  faults: Fault[],
): void {
  if (yaml === undefined) return;
  const { name } = yaml.value;
  if (entries.has(name)) faults.push(yaml.faultAt(['name'], `${kind} ${name} is already defined in another file`));
  entries.set(name, yaml.value);
}

function read<S extends z.ZodType>(file: string, schema: S, faults: Fault[]): Partial<ReadFile<z.output<S>>> {
  const shown = shownPath(file);
  const about = statSync(file, { throwIfNoEntry: false });
  if (about?.isFile() !== true) {
    faults.push({ file: shown, line: 1, column: 1, message: about === undefined ? 'this file is missing' : 'this is no file' });
    return {};
  }
  const result = readYaml(shown, readFileSync(file, 'utf8'), schema);
  if ('faults' in result) faults.push(...result.faults);
  return result;
}

/** A file that fits its schema, or what a faulty one holds. */
interface ReadFile<T> {
  readonly yaml: YamlFile<T>;
  readonly raw: YamlFile<unknown>;
}

/** Those that begin with a dot are of other programs, such as .git. */
function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}

function yamlFilesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((entry) => entry.endsWith('.yaml'))
    .sort()
    .map((entry) => path.join(folder, entry));
}
