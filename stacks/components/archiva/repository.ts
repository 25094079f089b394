import path from 'node:path';
import type { ResourceVerbs } from '../../../src/kernel/driver-kit.ts';
import { placeOf } from '../../../src/kernel/driver-store.ts';
import { requireContent, store } from './content.ts';
import { browsersDifference, dropHolders, forgetSurvey, prepareHolders, setBrowsers } from './holders.ts';
import { allRegistered, difference, letGo, type Registration, register, registered, registration } from './managed.ts';

/** That Archiva serves a project's artifacts, and which people see them in its pages. */
export const repository: ResourceVerbs = {
  // what Archiva serves from elsewhere, such as the outside, is no project's
  list: async () => {
    // a doctor begins with this
    forgetSurvey();
    return (await allRegistered())
      .filter(({ location }) => path.dirname(String(location)) === store.root)
      .map(({ id }) => String(id));
  },
  read: async ({ project }) => {
    const present = await registered(project.name);
    if (present === undefined) return { present: false };
    const differs = difference(present, wantedFor(project.name)) ?? (await browsersDifference(project));
    return { present: true, ...(differs === undefined ? {} : { differs }) };
  },
  apply: async ({ project }) => {
    const { name } = project;
    requireContent(name);
    if ((await registered(name)) === undefined) await prepareHolders(name);
    await register(wantedFor(name));
    // only now: a role of a repository that isn't there would lock its holders out of all others
    await setBrowsers(project);
  },
  remove: async ({ project: { name } }) => {
    await dropHolders(name);
    await letGo(name);
  },
};

function wantedFor(name: string): Registration {
  return registration(name, placeOf(store, name), true);
}
