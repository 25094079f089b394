import { rmSync } from 'node:fs';
import { DriverError } from '../../../src/kernel/driver-kit.ts';
import { readCatalogue } from '../../../src/kernel/read-catalogue.ts';
import { ask, hint, tell } from './driver-connection.ts';
import { letGo, register, registered, registration } from './managed.ts';

/**
 * The repository outside that Archiva passes on. It is one of its own and in no group: what comes from there never stands
 * beside a project's artifacts under one address, so it can take the place of none.
 */
const ours = {
  /** No project is called that, it is reserved. */
  id: 'central',
  /** What Archiva calls the other side; the dot keeps it apart from projects. */
  remote: 'central.outside',
  /** Can be fetched again, so it lies with what is no data. */
  location: '/srv/maven/archiva/central',
} as const;

const remotes = 'archivaServices/remoteRepositoriesService';
const connectors = 'archivaServices/proxyConnectorService';

/** Releases are fetched once and stay; without the checksum that the other side says nothing is kept. */
const policies = {
  releases: 'once',
  snapshots: 'never',
  checksum: 'fail',
  // what is not there today may be there tomorrow
  'cache-failures': 'no',
  'propagate-errors': 'stop',
  'propagate-errors-on-update': 'artifact not already present',
} as const;

/** The address that the option `proxy` means; undefined: nothing is passed on. */
export function outsideAddress(
  option: unknown = readCatalogue().components.find(({ name }) => name === 'archiva')?.options.proxy,
): string | undefined {
  if (option === undefined || option === 'none') return undefined;
  return String(option).replace(/\/+$/, '');
}

/** Passes on what is at this address and no other, or nothing. Safe to repeat, and after being killed anywhere. */
export async function settleOutside(address: string | undefined): Promise<void> {
  const location = (await registered(ours.id))?.location;
  if (location !== undefined && location !== ours.location)
    throw new DriverError(
      `Archiva serves ${String(location)} as ${ours.id}, where every person may read`,
      'a project of that name is older than the rule against it: move its artifacts to another project and delete it',
    );
  // what came from another address is not kept under this one
  if (address === undefined || (await remoteAddress()) !== address) await forget();
  if (address === undefined) return;
  await register(registration(ours.id, ours.location, false));
  await settleRemote(address);
  await settleConnector();
}

async function forget(): Promise<void> {
  const connector = await connectorOf();
  if (connector !== undefined) await tell(`${connectors}/deleteProxyConnector`, connector);
  if ((await remoteAddress()) !== undefined) await must(`${remotes}/deleteRemoteRepository/${ours.remote}`);
  await letGo(ours.id);
  rmSync(ours.location, { recursive: true, force: true });
}

async function settleRemote(url: string): Promise<void> {
  if ((await remoteAddress()) !== undefined) return;
  const remote = { id: ours.remote, name: ours.remote, layout: 'default', url, timeout: 60, downloadRemoteIndex: false };
  await tell(`${remotes}/addRemoteRepository`, { ...remote, checkPath: '' });
}

async function settleConnector(): Promise<void> {
  const present = await connectorOf();
  const policiesEntries = Object.entries(policies).map(([key, value]) => ({ key, value }));
  if (present === undefined)
    return tell(`${connectors}/addProxyConnector`, { sourceRepoId: ours.id, targetRepoId: ours.remote, policiesEntries });
  const has = new Map(present.policiesEntries?.map(({ key, value }) => [key, value]));
  if (present.disabled !== true && policiesEntries.every(({ key, value }) => has.get(key) === value)) return;
  await tell(`${connectors}/updateProxyConnector`, { ...present, disabled: false, policiesEntries });
}

interface Connector {
  readonly sourceRepoId: string;
  readonly targetRepoId: string;
  readonly disabled?: boolean;
  readonly policiesEntries?: readonly { readonly key: string; readonly value: string }[] | null;
}

async function connectorOf(): Promise<Connector | undefined> {
  const all = (await must(`${connectors}/getProxyConnectors`)) as readonly Connector[];
  return all.find(({ sourceRepoId }) => sourceRepoId === ours.id);
}

async function remoteAddress(): Promise<string | undefined> {
  const all = (await must(`${remotes}/getRemoteRepositories`)) as readonly { id: string; url: string }[];
  return all.find(({ id }) => id === ours.remote)?.url;
}

async function must(path: string): Promise<unknown> {
  const { status, body } = await ask(path);
  if (status !== 200) throw new DriverError(`Archiva answered ${status} to ${path}`, hint);
  return body;
}
