import { UserError } from '../../src/kernel/errors.ts';
import type { ProjectSpecification } from '../../src/kernel/project.ts';
import type { Finding } from '../api/schemas.ts';
import type { Bench } from './bench.ts';
import type { FactsOf } from './carrier.ts';
import { doctorsJob } from './leftover.ts';
import { everythingThere, leftoverFindings } from './leftovers.ts';
import { type Resource, resourcesOf } from './resources.ts';
import type { Workshop } from './workshop.ts';

/**
 * Looks at every resource of every project. With `fix` what is derived is made again; what people made never is: it is
 * reported with the remedy. Projects are looked at a few at a time; one that may be changed, when no job of it runs. Then
 * comes what no project asks for.
 */
export async function examine(bench: Bench, workshop: Workshop, fix: boolean): Promise<Finding[]> {
  const { alone, factsOf, isOpen } = workshop;
  const there = await everythingThere(bench);
  const findings: Finding[] = [];
  const queue = bench.specifications.all().map(({ name }) => name);
  const look = async (name: string): Promise<Finding[]> => {
    // as it is by now: a job may have changed or deleted it since
    const project = bench.specifications.find(name);
    // an unfinished change is not in the specification yet, or not out of it: it is that change's business
    return project === undefined ? [] : examineProject(bench, factsOf, project, fix && !isOpen(name));
  };
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const next = name;
      findings.push(...(await (fix ? alone(next, () => look(next)) : look(next))));
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  findings.push(...(await leftoverFindings(bench, workshop, there, fix)));
  for (const [name, why] of bench.specifications.damaged)
    findings.push({
      ...{ project: name, resource: 'specification', what: 'unreadable', repaired: false },
      ...{ text: `its specification can't be read: ${why}`, hint: 'restore it from a backup' },
    } as Finding);
  return findings.sort((a, b) => `${a.project} ${a.resource}`.localeCompare(`${b.project} ${b.resource}`));
}

async function examineProject(bench: Bench, factsOf: FactsOf, project: ProjectSpecification, fix: boolean): Promise<Finding[]> {
  const facts = factsOf(project);
  if (fix) bench.facts.publish(facts);
  const findings: Finding[] = [];
  for (const resource of resourcesOf(bench.catalogue, project)) {
    const found = await look(bench, resource, facts);
    if (found === undefined) continue;
    const repairable = fix && (found.what === 'missing' || found.what === 'differs');
    findings.push(repairable ? await repair(bench, resource, facts, found) : found);
  }
  return findings;
}

async function look(bench: Bench, resource: Resource, facts: ReturnType<FactsOf>): Promise<Finding | undefined> {
  const about = { project: facts.name, resource: resource.key, repaired: false };
  try {
    const { present, differs, lacks } = await bench.backends.read(resource, facts, doctorsJob);
    if (resource.holds === 'data' && (!present || lacks !== undefined))
      return {
        ...about,
        what: 'missing-data',
        text: `what people made is missing${lacks === undefined ? '' : `: ${lacks}`}`,
        hint: 'restore this project from a backup',
      };
    if (!present) return { ...about, what: 'missing', text: 'it is missing', hint: 'devserver doctor --fix makes it again' };
    if (differs !== undefined) return { ...about, what: 'differs', text: differs, hint: 'devserver doctor --fix puts it right' };
    return undefined;
  } catch (error) {
    const hint = error instanceof UserError ? error.hint : undefined;
    const text = error instanceof Error ? error.message : String(error);
    return { ...about, what: 'unreadable', text, hint: hint ?? `devserver status says how ${resource.component} is` };
  }
}

/** Applies the whole desired state, then looks again: only what is seen to be right counts as repaired. */
async function repair(bench: Bench, resource: Resource, facts: ReturnType<FactsOf>, found: Finding): Promise<Finding> {
  try {
    await bench.backends.act(resource, 'apply', facts, doctorsJob);
    return { ...found, repaired: (await look(bench, resource, facts)) === undefined };
  } catch (error) {
    const text = `${found.text}; repairing failed: ${error instanceof Error ? error.message : String(error)}`;
    const hint = error instanceof UserError ? error.hint : undefined;
    return { ...found, text, hint: hint ?? `devserver status says how ${resource.component} is` };
  }
}
