import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import type { System } from '../../src/kernel/system.ts';
import { readSite } from '../boot/site.ts';
import type { ReadinessTable } from './bootstrap.ts';
import { type CheckResult, runChecks } from './checks.ts';
import { findWarnings, type Warning } from './warnings.ts';

export interface ComponentStatus {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly retired: boolean;
  readonly state: 'ready' | 'starting' | 'failing';
  readonly reason?: string;
  readonly hint?: string;
  /** Addresses below the site's url that a person may open. */
  readonly links: readonly { readonly title: string; readonly path: string }[];
}

export interface Status {
  /** Every bootstrap done and every check passed. */
  readonly ready: boolean;
  readonly name: string;
  readonly hostname: string;
  readonly url: string;
  readonly base: string;
  readonly components: readonly ComponentStatus[];
  readonly warnings: readonly Warning[];
}

/** The appliance's state as one value: for the front page, `devserver status` and `up --wait`. */
export async function currentStatus(catalogue: ApplianceCatalogue, readiness: ReadinessTable, system: System): Promise<Status> {
  const [checks, warnings] = await Promise.all([runChecks(catalogue, system), findWarnings(catalogue, system)]);
  const components = catalogue.components.map((component) => componentStatus(component, checks, readiness));
  const site = readSite();
  return {
    ready: components.every(({ state }) => state === 'ready'),
    name: catalogue.name,
    hostname: site.hostname,
    url: `${site.url}/`,
    base: catalogue.base.title,
    components,
    warnings,
  };
}

function componentStatus(
  component: ApplianceCatalogue['components'][number],
  checks: readonly CheckResult[],
  readiness: ReadinessTable,
): ComponentStatus {
  const { name, title, summary, support } = component;
  const links = component.web
    .filter((web) => web.title !== undefined && !web.at.includes('{project}'))
    .map((web) => ({ title: web.title ?? name, path: web.at }));
  const about = { name, title, summary, retired: support.retired, links };
  const start = readiness.get(name);
  if (start?.ready !== true)
    return { ...about, state: 'starting', ...(start?.waitingFor === undefined ? {} : { reason: start.waitingFor }) };
  const failed = checks.find((check) => check.component === name && !check.ok);
  if (failed === undefined) return { ...about, state: 'ready' };
  return {
    ...about,
    state: 'failing',
    reason: `${failed.check}: ${failed.seen ?? ''}`,
    ...(failed.hint === undefined ? {} : { hint: failed.hint }),
  };
}
