import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import type { ProjectFacts, ProjectSpecification } from '../../src/kernel/project.ts';

/** What of a template counts beyond the first commit. */
export interface TemplateFacts {
  readonly build: ProjectFacts['build'];
}

/**
 * What components get to know of a project. `url` is the site's address without a slash behind it. Pure.
 */
export function factsOf(
  catalogue: ApplianceCatalogue,
  project: ProjectSpecification,
  url: string,
  template: TemplateFacts,
): ProjectFacts {
  const links: Record<string, Record<string, string>> = {};
  let branch = '';
  for (const { provides, exports, options } of catalogue.components) {
    for (const role of provides) {
      const [kind = role, flavour] = role.split(':');
      if (flavour !== undefined && (kind !== 'vcs' || flavour !== project.vcs)) continue;
      if ((kind === 'maven' && !project.maven) || (kind === 'ci' && !project.ci)) continue;
      const filled = filledExports(exports, project.name, url);
      if (Object.keys(filled).length > 0) links[kind] = filled;
      if (kind === 'vcs') branch = String(options.defaultBranch ?? exports.branch ?? '');
    }
  }
  return { ...project, links, branch, build: project.ci ? template.build : null };
}

/** Exports of a provider that speaks of projects; those of others are the appliance's own business. */
function filledExports(exports: Readonly<Record<string, unknown>>, name: string, url: string): Record<string, string> {
  const texts = Object.entries(exports).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  if (!texts.some(([, value]) => value.includes('{project}'))) return {};
  return Object.fromEntries(texts.map(([key, value]) => [key, value.replaceAll('{site}', url).replaceAll('{project}', name)]));
}

/** The folder where facts are published; below it one file per project. */
export interface FactsFolder {
  readonly publish: (facts: ProjectFacts) => void;
  readonly withdraw: (name: string) => void;
  /** Projects of which there are any. */
  readonly names: () => string[];
  readonly publishSite: (site: { readonly admins: readonly string[] }) => void;
  /** Takes away what no project has any more; at the daemon's start. */
  readonly keepOnly: (names: ReadonlySet<string>) => void;
}

const site = '.site.json';

/** Publishes into `folder`, which belongs to the daemon and can be read by the group `devserver-facts`. */
export function openFacts(folder: string): FactsFolder {
  mkdirSync(folder, { recursive: true });
  const write = (file: string, value: unknown): void =>
    writeFileAtomically(path.join(folder, file), `${JSON.stringify(value)}\n`, 0o640);
  const names = (): string[] =>
    readdirSync(folder).flatMap((file) => (file === site ? [] : (/^(.+)\.json$/.exec(file)?.[1] ?? [])));
  return {
    names,
    publish: (facts) => write(`${facts.name}.json`, facts),
    withdraw: (name) => rmSync(path.join(folder, `${name}.json`), { force: true }),
    publishSite: (content) => write(site, content),
    keepOnly: (kept) => {
      for (const name of names()) if (!kept.has(name)) rmSync(path.join(folder, `${name}.json`), { force: true });
    },
  };
}
