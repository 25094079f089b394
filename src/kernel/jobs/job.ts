import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { syncDirectory } from '../atomic-file.ts';
import { readPlain } from '../derived.ts';
import { DriverError, type ResourceVerbs } from '../driver-kit.ts';
import {
  listStored,
  makeStored,
  placeOf,
  purgeStash,
  readStored,
  removeMade,
  type Store,
  stashOf,
  stashStored,
  unstashStored,
} from '../driver-store.ts';
import type { ProjectFacts } from '../project.ts';
import { configIn, forgetting, isAskedBy, isLeftover } from './forget.ts';
import type { JobServer } from './server.ts';
import { jobDifference, workDifference } from './xml.ts';

/** A CI server with one job per project. */
export interface Jobs {
  readonly server: JobServer;
  /** Where it keeps jobs by name; it reads no directory there that has no config.xml, so not .stash. */
  readonly root: string;
  /** A job's config.xml as the server itself would write it, beginning with `headOf`. */
  readonly xml: (project: ProjectFacts, job: string) => string;
  /** The description in it. */
  readonly words: (project: ProjectFacts) => string;
}

/**
 * A project's job with the history of its builds. It is in two places, on the disk and in the server's memory; each verb
 * looks at both, and leaves both alike.
 */
export function jobResource({ server, root, xml: xmlOf, words }: Jobs): ResourceVerbs {
  const store: Store = { root, suffix: '' };
  const { title } = server;
  const { forget, finishForgetting, discard } = forgetting(server, store);

  /** Before the server is asked for anything: saving a job it remembers, it would make an empty directory for it. */
  const requireJob = (name: string): void => {
    if (!readStored(store, name).present)
      throw new DriverError(`the job ${name} with its builds is missing`, 'restore it from a backup');
  };

  /** A whole configuration would spoil a running build: when it is only about words they alone are set, else it is waited for. */
  const describedOnly = async (project: ProjectFacts, xml: string): Promise<boolean> => {
    const { name } = project;
    if (workDifference(await server.configOf(name), xml) === undefined) {
      await server.describe(name, words(project));
      return true;
    }
    if (!(await server.idle(name, 20)))
      throw new DriverError(`a build of ${name} is running`, 'wait until it has ended or stop it, then try again');
    return false;
  };

  /** The placeholder goes, the data comes; killed in between the data is still in the stash. */
  const exchange = (name: string, id: string): void => {
    const aside = `${stashOf(store, id)}.new`;
    rmSync(aside, { recursive: true, force: true });
    if (existsSync(placeOf(store, name))) renameSync(placeOf(store, name), aside);
    unstashStored(store, name, id);
    syncDirectory(store.root);
    rmSync(aside, { recursive: true, force: true });
  };

  return {
    list: async () => [...new Set([...listStored(store), ...(await server.known())])],

    read: async ({ project, job: id }) => {
      const { name } = project;
      const place = placeOf(store, name);
      const stored = readStored(store, name);
      const known = await server.isKnown(name);
      if (!stored.present) return known ? { present: true, lacks: `${title} remembers the job, its directory is gone` } : stored;
      const text = readPlain(configIn(place)) ?? '';
      if (stored.job === undefined && isLeftover(place)) {
        const maker = /<!-- devserver-job ([a-z0-9-]{8,40}) -->/.exec(text)?.[1];
        return {
          present: true,
          ...(maker === undefined ? {} : { job: maker }),
          lacks: `what is at ${place} was made by ${title}`,
        };
      }
      const unknown = known ? undefined : `it is on the disk, but ${title} does not know it`;
      const differs = unknown ?? (text === '' ? 'config.xml is missing' : jobDifference(text, xmlOf(project, id)));
      return differs === undefined ? stored : { ...stored, differs };
    },

    /** On the disk first and whole, with the name of the job that makes it; then the server learns of it. */
    make: async ({ project, job: id }) => {
      const { name } = project;
      const xml = xmlOf(project, id);
      const place = placeOf(store, name);
      if (existsSync(place) && isLeftover(place) && isAskedBy(place, id)) await forget(name, id);
      await makeStored(store, name, id, async (folder) => writeFileSync(path.join(folder, 'config.xml'), xml));
      await server.create(name, xml);
    },

    apply: async ({ project, job: id }) => {
      const { name, archived } = project;
      requireJob(name);
      const xml = xmlOf(project, id);
      if ((await server.running(name)).length === 0) return server.configure(name, xml);
      if (archived) await server.quiesce(name);
      else if (await describedOnly(project, xml)) return;
      await server.configure(name, xml);
    },

    remove: async ({ project: { name }, job: id }) => {
      const place = placeOf(store, name);
      const made = readStored(store, name);
      const ours = isLeftover(place) ? isAskedBy(place, id) : made.job === id;
      if (made.present && !ours) throw new DriverError(`${place} was not made by this job`, 'it is left as it is');
      await server.quiesce(name);
      if (!isLeftover(place)) removeMade(store, name, id);
      await forget(name, id);
    },

    stash: async ({ project: { name }, job: id }) => {
      if (!existsSync(stashOf(store, id))) {
        requireJob(name);
        await server.quiesce(name);
        stashStored(store, name, id);
      }
      await forget(name, id);
    },

    /** The server makes an empty job, which then gets the history: when making it fails, it deletes what lies in its place. */
    unstash: async ({ project, job: id }) => {
      const { name } = project;
      const place = placeOf(store, name);
      const xml = xmlOf(project, id);
      if (existsSync(stashOf(store, id))) {
        if (existsSync(place) && !isLeftover(place))
          throw new DriverError(`there is already something at ${place}`, 'somebody put it there by hand: look at it');
        if (!(await server.isKnown(name))) {
          discard(name, id);
          await server.create(name, xml);
        }
        exchange(name, id);
      } else {
        requireJob(name);
      }
      await server.configure(name, xml);
      // a `stash` of this job may have been cut short between giving the old job its other name and deleting it
      await finishForgetting(name, id);
    },

    purge: async ({ job: id }) => purgeStash(store, id),
  };
}
