import { DriverError } from '../../../src/kernel/driver-kit.ts';
import { ask, hint, tell } from './driver-connection.ts';

const service = 'archivaServices/managedRepositoriesService';

/** As Archiva knows a repository; it names more than ours. */
export type Registration = Readonly<Record<string, unknown>>;

/** A repository that Archiva is to serve from a directory. A release stays what it was; nothing is searched for, so nothing is scanned. */
export function registration(id: string, location: string, snapshots: boolean): Registration {
  return {
    id,
    name: id,
    layout: 'default',
    location,
    releases: true,
    snapshots,
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

/** All that Archiva serves. */
export async function allRegistered(): Promise<Registration[]> {
  const { status, body } = await ask(`${service}/getManagedRepositories`);
  if (status !== 200 || !Array.isArray(body)) throw new DriverError(`Archiva answered ${status} when it was asked for all`, hint);
  return body as Registration[];
}

/** What Archiva serves under this name, if anything. */
export async function registered(id: string): Promise<Registration | undefined> {
  const { status, body } = await ask(`${service}/getManagedRepository/${encodeURIComponent(id)}`);
  if (status === 204) return undefined;
  if (status !== 200 || typeof body !== 'object' || body === null)
    throw new DriverError(`Archiva answered ${status} when it was asked for ${id}`, hint);
  return body as Registration;
}

/** Sees to it that Archiva serves the repository as wanted. */
export async function register(wanted: Registration): Promise<void> {
  const id = String(wanted.id);
  const present = await registered(id);
  if (present !== undefined) {
    if (difference(present, wanted) !== undefined) await tell(`${service}/updateManagedRepository`, { ...present, ...wanted });
    return;
  }
  const { status } = await ask(`${service}/addManagedRepository`, wanted);
  // a request that was given up may have done it meanwhile
  if (status !== 200 && (await registered(id)) === undefined)
    throw new DriverError(`Archiva answered ${status} when it was to serve ${id}`, hint);
}

/** Archiva serves it no longer; the directory stays as it is. */
export async function letGo(id: string): Promise<void> {
  if ((await registered(id)) === undefined) return;
  const { status } = await ask(`${service}/deleteManagedRepository?repositoryId=${encodeURIComponent(id)}&deleteContent=false`);
  if (status !== 200 && (await registered(id)) !== undefined)
    throw new DriverError(`Archiva answered ${status} when it was to let go of ${id}`, hint);
}

/** In which way Archiva serves it otherwise than wanted. */
export function difference(present: Registration, wanted: Registration): string | undefined {
  const keys = ['location', 'releases', 'snapshots', 'blockRedeployments', 'scanned'];
  const other = keys.find((key) => present[key] !== wanted[key]);
  return other === undefined ? undefined : `its ${other} is ${String(present[other])} instead of ${String(wanted[other])}`;
}
