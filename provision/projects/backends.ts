import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import type { MemberRole, ProjectFacts, Seed } from '../../src/kernel/project.ts';
import { type Listing, startListing } from './listing.ts';
import type { Verb } from './plan.ts';
import { componentOffering, type Resource } from './resources.ts';
import type { ProjectSeed } from './seed.ts';

/** Asks a component's driver; seconds until the answer is given up. */
export type Ask = (component: string, verb: string, args: unknown, seconds: number) => Promise<unknown>;

/** Random secrets of projects, kept by the daemon. */
export interface Secrets {
  readonly names: () => string[];
  readonly read: (name: string) => string | undefined;
  /** Makes it when it is not there. */
  readonly ensure: (name: string) => string;
  readonly remove: (name: string) => void;
}

/** What a resource's `read` says. */
export interface Seen {
  readonly present: boolean;
  /** Of data: the job that made it. */
  readonly job?: string;
  /** In which way what is derived from the facts is not as they say; of data: its configuration. */
  readonly differs?: string;
  /** What of the data itself is missing, though its place is taken. */
  readonly lacks?: string;
}

export interface Backends {
  /** Begins a look at all there is. */
  readonly listing: () => Listing;
  readonly read: (resource: Resource, facts: ProjectFacts, job: string) => Promise<Seen>;
  /** @throws UserError in the words of whoever refused. */
  readonly act: (resource: Resource, verb: Verb, facts: ProjectFacts, job: string, seed?: ProjectSeed) => Promise<void>;
}

/** Where each kind of resource is carried out: the component's own driver, the directory's, or the daemon itself. */
export function openBackends(catalogue: ApplianceCatalogue, ask: Ask, secrets: Secrets): Backends {
  const directory = (kind: string): string => componentOffering(catalogue, kind);
  const toDriver = (resource: Resource, verb: string, facts: ProjectFacts, job: string, seed?: ProjectSeed): Promise<unknown> => {
    const own = seed === undefined ? undefined : seedFor(catalogue, resource.component, seed);
    const args = { resource: resource.id, project: facts, job, ...(own === undefined ? {} : { seed: own }) };
    return ask(resource.component, verb, args, resource.timeout);
  };
  return {
    listing: () => startListing(catalogue, ask, secrets),
    read: async (resource, facts, job) => {
      const name = nameOf(resource, facts.name);
      switch (resource.kind) {
        case 'driver':
          return (await toDriver(resource, 'read', facts, job)) as Seen;
        case 'secret':
          return { present: secrets.read(name) !== undefined };
        case 'group':
        case 'service-account': {
          const { kind, timeout } = resource;
          const password = kind === 'service-account' ? secrets.read(name) : undefined;
          const args = { kind, name, ...wanted(resource, facts, password) };
          return (await ask(directory(kind), 'compare', args, timeout)) as Seen;
        }
      }
    },
    act: async (resource, verb, facts, job, seed) => {
      const name = nameOf(resource, facts.name);
      switch (resource.kind) {
        case 'driver':
          await toDriver(resource, verb, facts, job, verb === 'make' ? seed : undefined);
          return;
        case 'secret':
          if (verb === 'remove') secrets.remove(name);
          else secrets.ensure(name);
          return;
        case 'group':
        case 'service-account': {
          const { kind, timeout } = resource;
          const password = kind === 'service-account' && verb !== 'remove' ? secrets.ensure(name) : undefined;
          const more = verb === 'remove' ? {} : wanted(resource, facts, password);
          await ask(directory(kind), verb, { kind, name, ...more }, timeout);
        }
      }
    },
  };
}

/** A resource's name in the directory or among the secrets. */
function nameOf({ name }: Resource, project: string): string {
  return (name ?? '').replaceAll('{project}', project);
}

/** What the directory is to make of a group or an account, beside kind and name. */
function wanted(resource: Resource, facts: ProjectFacts, password: string | undefined): Record<string, unknown> {
  if (resource.kind === 'group') return { members: groupMembers(resource, facts) };
  return {
    ...(password === undefined ? {} : { password }),
    memberOf: resource.memberOf.map((group) => group.replaceAll('{project}', facts.name)),
  };
}

function groupMembers({ members }: Resource, facts: ProjectFacts): string[] | 'everyone' {
  if (members === undefined || members === 'everyone') return 'everyone';
  return membersWith(facts, members);
}

/** The members of a project that have a role, in order. */
export function membersWith({ members }: Pick<ProjectFacts, 'members'>, role: MemberRole): string[] {
  return Object.entries(members)
    .filter(([, it]) => it === role)
    .map(([user]) => user)
    .sort();
}

/** The pages are the tracker's, the files belong into the repository. */
function seedFor(catalogue: ApplianceCatalogue, component: string, { pages, ...seed }: ProjectSeed): Seed {
  const isTracker = catalogue.components.some(({ name, provides }) => name === component && provides.includes('tracker'));
  return isTracker ? { ...seed, files: pages } : seed;
}
