import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import type { ProjectSpecification } from '../../src/kernel/project.ts';
import type { Specifications } from './specifications.ts';

/** Where the web server reads under which name the project is now that had another. */
export interface FormerNames {
  /** Writes it when it is not so already. */
  readonly publish: (projects: readonly ProjectSpecification[]) => void;
}

/** Publishes into `file`, a line `OLD NEW` for each former name, as a text map of Apache's mod_rewrite. */
export function openFormerNames(file: string): FormerNames {
  return {
    publish: (projects) => {
      const text = formerNamesOf(projects);
      if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
      writeFileAtomically(file, text, 0o640);
    },
  };
}

/** The content of that file. A project that has a name now has it before one that had it. Pure. */
export function formerNamesOf(projects: readonly ProjectSpecification[]): string {
  const taken = new Set(projects.map(({ name }) => name));
  const lines = projects.flatMap(({ name, formerly }) =>
    formerly.flatMap((old) => {
      if (taken.has(old)) return [];
      taken.add(old);
      return [`${old} ${name}\n`];
    }),
  );
  return lines.join('');
}

/** The project that was called so before. Pure. */
export function onceCalled(projects: readonly ProjectSpecification[], name: string): ProjectSpecification | undefined {
  return projects.find(({ formerly }) => formerly.includes(name));
}

/** The project that has this name, or else the one that had it. */
export function findByAnyName(
  { find, all }: Pick<Specifications, 'find' | 'all'>,
  name: string,
): ProjectSpecification | undefined {
  return find(name) ?? onceCalled(all(), name);
}

/** A project under another name, which keeps the one it has now. Pure. */
export function renamed(project: ProjectSpecification, name: string): ProjectSpecification {
  return { ...project, name, formerly: [...project.formerly.filter((it) => it !== name), project.name] };
}

/** A project that comes back, without the former names somebody took meanwhile. Pure. */
export function withoutTakenNames(
  project: ProjectSpecification,
  projects: readonly ProjectSpecification[],
): ProjectSpecification {
  const others = projects.filter(({ name }) => name !== project.name);
  const isFree = (old: string): boolean =>
    old !== project.name && !others.some(({ name, formerly }) => name === old || formerly.includes(old));
  return { ...project, formerly: project.formerly.filter(isFree) };
}
