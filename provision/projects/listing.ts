import * as z from 'zod';
import { type ApplianceCatalogue, projectNamePattern } from '../../src/kernel/appliance.ts';
import type { Ask, Secrets } from './backends.ts';
import { componentOffering, type Resource } from './resources.ts';

/** For a resource the names of the projects of which there is one, whether or not there are such projects. */
export type Listing = (resource: Resource) => Promise<readonly string[]>;

/** One look at all there is: each driver is asked once per kind, however many resources and projects there are. */
export function startListing(catalogue: ApplianceCatalogue, ask: Ask, secrets: Secrets): Listing {
  const asked = new Map<string, Promise<string[]>>();
  const once = (component: string, args: object, seconds: number): Promise<string[]> => {
    const key = JSON.stringify([component, args]);
    const answer = asked.get(key) ?? ask(component, 'list', args, seconds).then((it) => z.array(z.string()).parse(it));
    asked.set(key, answer);
    return answer;
  };
  return async (resource) => {
    const { kind, component, id, timeout } = resource;
    if (kind === 'driver') return (await once(component, { resource: id }, timeout)).filter((it) => wholeProjectName.test(it));
    const all = kind === 'secret' ? secrets.names() : await once(componentOffering(catalogue, kind), { kind }, timeout);
    return all.flatMap((name) => projectIn(resource, name) ?? []);
  };
}

/** The project out of whose name a resource's name was made. */
function projectIn({ name = '' }: Resource, given: string): string | undefined {
  const [before = '', behind = ''] = name.split('{project}');
  const project = given.slice(before.length, given.length - behind.length);
  return wholeProjectName.test(project) && given === `${before}${project}${behind}` ? project : undefined;
}

const wholeProjectName = new RegExp(`^${projectNamePattern}$`);
