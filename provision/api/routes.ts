import { exitCodes } from '../../src/kernel/errors.ts';
import { json, type Request, type Route } from '../daemon/server.ts';
import { type Caller, root } from './caller.ts';
import type { Office } from './office.ts';
import { openApi } from './openapi.ts';
import { type Operation, routeOf } from './operation.ts';
import { otherOperations } from './other-operations.ts';
import { projectOperations } from './project-operations.ts';
import { makeRate } from './rate.ts';
import { Refusal } from './refusal.ts';
import { userOperations } from './user-operations.ts';

/** The whole API as a list. */
export function operationsOf(office: Office): Operation[] {
  return [...projectOperations(office), ...userOperations(office), ...otherOperations(office)];
}

/** The API's routes. `front`: for people through the web server; else for root on the administrator's socket. */
export function apiRoutes(
  office: Office,
  operations: readonly Operation[],
  socket: 'front' | 'control',
  version: string,
): Record<string, Route> {
  const callerOf = socket === 'front' ? frontCaller(office) : async () => root;
  const offered = operations.filter(({ who }) => socket === 'control' || who !== 'root');
  const description = openApi(offered, version);
  return {
    'GET /api/openapi.json': async () => json(200, description),
    ...Object.fromEntries(offered.map((it) => [`${it.method} /api${it.path}`, routeOf(it, callerOf, office.bench.audit)])),
  };
}

/** A person: known by the web server's login, what they may by the directory at this moment. */
function frontCaller({ people }: Office): (request: Request) => Promise<Caller> {
  const rate = makeRate(60, 120);
  return async ({ user }) => {
    if (user === undefined) throw new Refusal(401, 'log in first', { exitCode: exitCodes.usage });
    const wait = rate(user, Date.now());
    if (wait > 0)
      throw new Refusal(429, 'too many requests', { hint: `wait ${wait} s`, retryAfter: wait, exitCode: exitCodes.busy });
    const { groups } = await people.content();
    const isAdmin = groups.admins.includes(user);
    return { name: user, isAdmin, isCreator: isAdmin || groups.creators.includes(user) };
  };
}
