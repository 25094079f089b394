import { readCatalogue } from '../../src/kernel/read-catalogue.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { apiRoutes, operationsOf } from '../api/routes.ts';
import { openOffice } from '../projects/open-office.ts';
import { startWork } from '../projects/start-work.ts';
import { startBootstraps } from './bootstrap.ts';
import { frontRoutes } from './front-routes.ts';
import { holdRoutes } from './hold-routes.ts';
import { json, type Route, serveHttp } from './server.ts';
import { currentStatus, type Status } from './status.ts';

/** Of the API: the first digit changes when a client would have to. */
const apiVersion = '1.0';

/** devserverd: without privileges, on two sockets systemd made: the front's and the administrator's. */
function main(): void {
  const system = realSystem();
  const catalogue = readCatalogue();
  const { table } = startBootstraps(catalogue);
  const status = shared(() => currentStatus(catalogue, table(), system), 1000);

  const office = openOffice(catalogue);
  const operations = operationsOf(office);
  startWork(office).catch((error: unknown) => {
    // unfinished work that can't even be read: nobody may go on as if nothing were
    console.error(error);
    process.exit(1);
  });

  const front = frontRoutes(office, operations, status, apiVersion);
  const control: Record<string, Route> = {
    'GET /status': async () => json(200, await status()),
    ...holdRoutes(office.workshop, office.people.accounts),
    ...apiRoutes(office, operations, 'control', apiVersion),
  };
  for (const [descriptor, name] of handedSockets()) {
    serveHttp(descriptor, name === 'front' ? front : control, { trustUser: name === 'front' });
  }
}

/** One look at the machine serves everybody who asks meanwhile, and for a moment after. */
function shared(look: () => Promise<Status>, milliseconds: number): () => Promise<Status> {
  let current: Promise<Status> | undefined;
  return () => {
    if (current === undefined) {
      current = look();
      const forget = (): void => {
        current = undefined;
      };
      current.then(() => setTimeout(forget, milliseconds), forget);
    }
    return current;
  };
}

/** Descriptors and names from sd_listen_fds(3). */
function handedSockets(): [number, string][] {
  const names = (process.env.LISTEN_FDNAMES ?? '').split(':').filter((name) => name !== '');
  if (names.length === 0)
    throw new Error('devserverd is started by its sockets (devserverd-front.socket, devserverd-control.socket)');
  return names.map((name, index) => [3 + index, name]);
}

main();
