import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { syncDirectory, writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import { type ProjectSpecification, projectSpecification } from '../../src/kernel/project.ts';

/** All projects there are: read once, kept in memory, each change on the disk first. Only the daemon writes. */
export interface Specifications {
  readonly all: () => readonly ProjectSpecification[];
  readonly find: (name: string) => ProjectSpecification | undefined;
  readonly keep: (project: ProjectSpecification) => void;
  readonly drop: (name: string) => void;
  /** Files that can't be read: name and why. Their projects are left alone. */
  readonly damaged: ReadonlyMap<string, string>;
}

/** Reads `folder`, in which each project has a file NAME.yaml. */
export function openSpecifications(folder: string): Specifications {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const known = new Map<string, ProjectSpecification>();
  const damaged = new Map<string, string>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
    const name = file.slice(0, -'.yaml'.length);
    try {
      known.set(name, readSpecification(path.join(folder, file), name));
    } catch (error) {
      damaged.set(name, error instanceof Error ? error.message : String(error));
    }
  }
  const fileOf = (name: string): string => path.join(folder, `${name}.yaml`);
  return {
    all: () => [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    find: (name) => known.get(name),
    keep: (project) => {
      writeFileAtomically(fileOf(project.name), stringify(project), 0o600);
      known.set(project.name, project);
    },
    drop: (name) => {
      if (existsSync(fileOf(name))) {
        rmSync(fileOf(name));
        syncDirectory(folder);
      }
      known.delete(name);
    },
    damaged,
  };
}

const mostBytes = 256 << 10;

/** Reads one that is to be of this name. @throws Error */
export function readSpecification(file: string, name: string): ProjectSpecification {
  // one out of a backup may be anybody's
  if (statSync(file).size > mostBytes) throw new Error(`it is longer than ${mostBytes} bytes`);
  const project = projectSpecification.parse(parse(readFileSync(file, 'utf8'), { uniqueKeys: false }));
  if (project.name !== name) throw new Error(`it says that its name is ${project.name}`);
  return project;
}
