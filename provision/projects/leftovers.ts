import type { ProjectSpecification } from '../../src/kernel/project.ts';
import type { Finding } from '../api/schemas.ts';
import type { Bench } from './bench.ts';
import { reservedNames } from './door.ts';
import { factsLeft, leftoverFinding, look, removed, resourceLeft } from './leftover.ts';
import { possibleResources, type Resource, resourcesOf, vcsKinds } from './resources.ts';
import type { Workshop } from './workshop.ts';

/**
 * Tells what no specification asks for: things of projects that do not exist, and what a project is not to have. With `fix`
 * what is derived is removed, but of a project that does not exist only when no data of it is left: groups may be all that
 * still says whose that was. Data is reported, never removed. `there` may be from a while ago: each thing is read again.
 */
export async function leftoverFindings(bench: Bench, workshop: Workshop, there: There, fix: boolean): Promise<Finding[]> {
  const { found, blind } = there;
  const findings = [...there.findings];
  const queue = [...found];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, resources] = next;
      const look = (): Promise<Finding[]> => leftoversOf(bench, workshop, name, resources, { fix, blind });
      findings.push(...(await (fix ? workshop.alone(name, look) : look())));
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  return findings;
}

/** What there is beyond what there should be. */
export interface There {
  /** By project what there is of it beyond what it should have. */
  readonly found: ReadonlyMap<string, readonly Resource[]>;
  /** What could not be listed. */
  readonly findings: readonly Finding[];
  /** Some of that is data: whether a project left any can't be told. */
  readonly blind: boolean;
}

/** Asks each driver for all it has, once; for them a look at all projects begins. */
export async function everythingThere(bench: Bench): Promise<There> {
  const listing = bench.backends.listing();
  const reserved = reservedNames(bench.catalogue);
  const found = new Map<string, Resource[]>();
  const findings: Finding[] = [];
  const listed = await Promise.all(
    possibleResources(bench.catalogue).map(async (resource) => {
      try {
        return { resource, names: await listing(resource) };
      } catch (error) {
        const text = `what there is can't be told: ${error instanceof Error ? error.message : String(error)}`;
        const hint = `devserver status says how ${resource.component} is`;
        findings.push({ project: '*', resource: resource.key, what: 'unreadable', text, hint, repaired: false });
        return { resource, names: undefined };
      }
    }),
  );
  for (const name of bench.facts.names()) found.set(name, []);
  for (const { resource, names } of listed)
    for (const name of names ?? []) found.set(name, [...(found.get(name) ?? []), resource]);
  for (const [name, resources] of found) {
    const project = bench.specifications.find(name);
    const wanted = project === undefined ? undefined : keysOf(bench, project);
    const isSo = resources.every(({ key }) => wanted?.has(key));
    // a name no project can have is a component's own; what can't be read is left alone
    const notOurs = project === undefined && (reserved.has(name) || bench.specifications.damaged.has(name));
    if (notOurs || (wanted !== undefined && isSo)) found.delete(name);
  }
  const blind = listed.some(({ resource, names }) => resource.holds === 'data' && names === undefined);
  return { found, findings, blind };
}

async function leftoversOf(
  bench: Bench,
  { factsOf, isOpen }: Workshop,
  name: string,
  resources: readonly Resource[],
  { fix, blind }: { readonly fix: boolean; readonly blind: boolean },
): Promise<Finding[]> {
  const project = bench.specifications.find(name);
  const findings: Finding[] = [];
  if (isOpen(name)) return findings;
  const facts = factsOf(project ?? nobodysProject(bench, name));
  const wanted = project === undefined ? new Set<string>() : keysOf(bench, project);
  const left = resources.filter(({ key }) => !wanted.has(key)).map((it) => resourceLeft(bench, it, facts));
  if (project === undefined && bench.facts.names().includes(name)) left.push(factsLeft(bench, name));
  let dataIsLeft = blind;
  // what lets people in goes first, as when a project is deleted; data is looked at before anything goes
  const derived = left.filter(({ holds }) => holds === 'derived').reverse();
  for (const it of [...left.filter(({ holds }) => holds === 'data'), ...derived]) {
    const seen = await look(it);
    if (seen === false) continue;
    // a change that began meanwhile has made it
    if (isOpen(name) || bench.specifications.find(name) !== project) return [];
    dataIsLeft ||= it.holds === 'data';
    const kept = it.holds === 'data' || (project === undefined && dataIsLeft);
    const finding = leftoverFinding(it, { project: name, exists: project !== undefined, kept, seen });
    findings.push(fix && !kept ? await removed(it, finding) : finding);
  }
  return findings;
}

function keysOf({ catalogue }: Bench, project: ProjectSpecification): Set<string> {
  return new Set(resourcesOf(catalogue, project).map(({ key }) => key));
}

/** What drivers are told of a project that does not exist: its name; nothing else of it counts. */
function nobodysProject({ catalogue }: Bench, name: string): ProjectSpecification {
  return {
    ...{ version: 1, name, formerly: [], title: name, description: '', vcs: vcsKinds(catalogue)[0] ?? '', visibility: 'private' },
    ...{ archived: true, template: 'empty', maven: true, ci: true, protectBranch: true, members: {} },
    ...{ created: new Date(0).toISOString(), by: 'root' },
  };
}
