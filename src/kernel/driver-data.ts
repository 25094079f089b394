import { type Derived, derivedFault, setDerived } from './derived.ts';
import { DriverError, type ResourceVerbs } from './driver-kit.ts';
import {
  lackOf,
  listStored,
  makeStored,
  placeOf,
  presentPlace,
  purgeStash,
  readStored,
  removeMade,
  type Store,
  type Stored,
  stashStored,
  unstashStored,
} from './driver-store.ts';
import type { ProjectFacts, ResourceArgs } from './project.ts';

/** What is particular to one kind of data; everything else about it is the store's. */
export interface DataKind {
  /** Fills an empty directory with new data and, if there is a seed, its first commit. */
  readonly build: (folder: string, args: ResourceArgs) => Promise<void>;
  /** Its configuration: what is nobody's choice and made again from the facts, over whatever is there. */
  readonly derived: (project: ProjectFacts) => readonly Derived[];
  /** Paths below the directory without which it is no such data any more. */
  readonly essential: readonly string[];
}

/** All verbs of a resource that holds data, one directory per project in `store`; docs/projects.md. */
export function dataVerbs(store: Store, { build, derived, essential }: DataKind): Required<ResourceVerbs> {
  return {
    list: async () => listStored(store),
    read: async ({ project }) => {
      const stored = readStored(store, project.name);
      if (!stored.present) return stored;
      const place = placeOf(store, project.name);
      const lacks = lackOf(place, essential);
      if (lacks !== undefined) return { ...stored, lacks } satisfies Stored;
      const differs = derivedFault(place, derived(project));
      return (differs === undefined ? stored : { ...stored, differs }) satisfies Stored;
    },
    make: (args) =>
      makeStored(store, args.project.name, args.job, async (folder) => {
        await build(folder, args);
        setDerived(folder, derived(args.project));
      }),
    apply: async ({ project }) => {
      const place = presentPlace(store, project.name);
      const lacks = lackOf(place, essential);
      if (lacks !== undefined) throw new DriverError(`at ${place} ${lacks}`, 'restore it from a backup');
      setDerived(place, derived(project));
    },
    remove: async ({ project, job }) => removeMade(store, project.name, job),
    stash: async ({ project, job }) => stashStored(store, project.name, job),
    unstash: async ({ project, job }) => unstashStored(store, project.name, job),
    purge: async ({ job }) => purgeStash(store, job),
  };
}
