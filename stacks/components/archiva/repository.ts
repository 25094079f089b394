import path from 'node:path';
import type { ResourceVerbs } from '../../../src/kernel/driver-kit.ts';
import { placeOf } from '../../../src/kernel/driver-store.ts';
import { requireContent, store } from './content.ts';
import { allRegistered, difference, letGo, type Registration, register, registered, registration } from './managed.ts';
import { browsersOf, holdersDifference, rolesOfRepository, setHolders } from './roles.ts';

/** That Archiva serves a project's artifacts, and which people see them in its pages. */
export const repository: ResourceVerbs = {
  // what Archiva serves from elsewhere, such as the outside, is no project's
  list: async () =>
    (await allRegistered()).filter(({ location }) => path.dirname(String(location)) === store.root).map(({ id }) => String(id)),
  read: async ({ project }) => {
    const present = await registered(project.name);
    if (present === undefined) return { present: false };
    const { browse } = rolesOfRepository(project.name);
    const differs = difference(present, wantedFor(project.name)) ?? (await holdersDifference(browse, browsersOf(project)));
    return { present: true, ...(differs === undefined ? {} : { differs }) };
  },
  apply: async ({ project }) => {
    const { name } = project;
    requireContent(name);
    await register(wantedFor(name));
    // only now: a role of a repository that isn't there would lock its holders out of all others
    await setHolders(rolesOfRepository(name).browse, browsersOf(project));
  },
  remove: async ({ project }) => {
    const { name } = project;
    // Archiva keeps them for the next repository of this name
    for (const role of Object.values(rolesOfRepository(name))) await setHolders(role, []);
    await letGo(name);
  },
};

function wantedFor(name: string): Registration {
  return registration(name, placeOf(store, name), true);
}
