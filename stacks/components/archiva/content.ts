import type { ResourceVerbs } from '../../../src/kernel/driver-kit.ts';
import { DriverError } from '../../../src/kernel/driver-kit.ts';
import {
  listStored,
  makeStored,
  purgeStash,
  readStored,
  removeMade,
  type Store,
  stashStored,
  unstashStored,
} from '../../../src/kernel/driver-store.ts';

/** A project's artifacts: one directory each. The stash is beside them, since a rename must not leave the file system's mount. */
export const store: Store = { root: '/srv/maven/repositories', suffix: '' };

/** The directory alone; that Archiva serves it is the resource `repository`. */
export const content: ResourceVerbs = {
  list: async () => listStored(store),
  read: async ({ project }) => readStored(store, project.name),
  // Archiva fills it
  make: async ({ project, job }) => makeStored(store, project.name, job, async () => {}),
  apply: async ({ project }) => requireContent(project.name),
  remove: async ({ project, job }) => removeMade(store, project.name, job),
  stash: async ({ project, job }) => stashStored(store, project.name, job),
  unstash: async ({ project, job }) => unstashStored(store, project.name, job),
  purge: async ({ job }) => purgeStash(store, job),
};

/** @throws DriverError when the artifacts are missing: Archiva would make an empty directory and say nothing. */
export function requireContent(name: string): void {
  if (!readStored(store, name).present)
    throw new DriverError(`the artifacts of ${name} are missing`, 'restore them from a backup');
}
