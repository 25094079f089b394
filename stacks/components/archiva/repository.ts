import { DriverError, type ResourceVerbs } from '../../../src/kernel/driver-kit.ts';
import { placeOf } from '../../../src/kernel/driver-store.ts';
import { requireContent, store } from './content.ts';
import { ask, tell } from './driver-connection.ts';
import { browsersOf, holdersDifference, rolesOfRepository, setHolders } from './roles.ts';

const service = 'archivaServices/managedRepositoriesService';

/** That Archiva serves a project's artifacts, and which people see them in its pages. */
export const repository: ResourceVerbs = {
  list: async () => {
    const { status, body } = await ask(`${service}/getManagedRepositories`);
    if (status !== 200 || !Array.isArray(body))
      throw new DriverError(`Archiva answered ${status} when it was asked for all`, hint);
    return (body as Registration[]).map(({ id }) => String(id));
  },
  read: async ({ project }) => {
    const present = await registered(project.name);
    if (present === undefined) return { present: false };
    const { browse } = rolesOfRepository(project.name);
    const differs = difference(present, registration(project.name)) ?? (await holdersDifference(browse, browsersOf(project)));
    return { present: true, ...(differs === undefined ? {} : { differs }) };
  },
  apply: async ({ project }) => {
    const { name } = project;
    requireContent(name);
    const wanted = registration(name);
    const present = await registered(name);
    if (present === undefined) await register(wanted);
    else if (difference(present, wanted) !== undefined)
      await tell(`${service}/updateManagedRepository`, { ...present, ...wanted });
    // only now: a role of a repository that isn't there would lock its holders out of all others
    await setHolders(rolesOfRepository(name).browse, browsersOf(project));
  },
  remove: async ({ project }) => {
    const { name } = project;
    // Archiva keeps them for the next repository of this name
    for (const role of Object.values(rolesOfRepository(name))) await setHolders(role, []);
    if ((await registered(name)) === undefined) return;
    const path = `${service}/deleteManagedRepository?repositoryId=${encodeURIComponent(name)}&deleteContent=false`;
    const { status } = await ask(path);
    if (status !== 200 && (await registered(name)) !== undefined)
      throw new DriverError(`Archiva answered ${status} when it was to let go of ${name}`, hint);
  },
};

const hint = 'journalctl -u devserver-tomcat@archiva';

/** As Archiva knows a repository; it names more than ours. */
type Registration = Readonly<Record<string, unknown>>;

async function registered(name: string): Promise<Registration | undefined> {
  const { status, body } = await ask(`${service}/getManagedRepository/${encodeURIComponent(name)}`);
  if (status === 204) return undefined;
  if (status !== 200 || typeof body !== 'object' || body === null)
    throw new DriverError(`Archiva answered ${status} when it was asked for ${name}`, hint);
  return body as Registration;
}

async function register(wanted: Registration): Promise<void> {
  const { status } = await ask(`${service}/addManagedRepository`, wanted);
  // a request that was given up may have done it meanwhile
  if (status !== 200 && (await registered(String(wanted.id))) === undefined)
    throw new DriverError(`Archiva answered ${status} when it was to serve ${String(wanted.id)}`, hint);
}

/** A release stays what it was; nothing is searched for, so nothing is scanned. */
function registration(name: string): Registration {
  return {
    id: name,
    name,
    layout: 'default',
    location: placeOf(store, name),
    releases: true,
    snapshots: true,
    blockRedeployments: true,
    scanned: false,
    // Archiva insists on a time, though without a scan nothing happens at it
    cronExpression: '0 0 * * * ?',
    daysOlder: 0,
    retentionCount: 0,
    deleteReleasedSnapshots: false,
    stageRepoNeeded: false,
    skipPackedIndexCreation: true,
  };
}

function difference(present: Registration, wanted: Registration): string | undefined {
  const keys = ['location', 'releases', 'snapshots', 'blockRedeployments', 'scanned'];
  const other = keys.find((key) => present[key] !== wanted[key]);
  return other === undefined ? undefined : `its ${other} is ${String(present[other])} instead of ${String(wanted[other])}`;
}
