import type { Office } from '../api/office.ts';
import type { Operation } from '../api/operation.ts';
import { makeRate } from '../api/rate.ts';
import { Refusal, refusalOf } from '../api/refusal.ts';
import { apiRoutes } from '../api/routes.ts';
import { type Audit, auditOrTell } from '../audit/open-audit.ts';
import { readSite } from '../boot/site.ts';
import { frontPage } from './pages.ts';
import { changePassword, showPasswordForm } from './password.ts';
import { isForeign } from './same-site.ts';
import { json, type Route, text } from './server.ts';
import type { Status } from './status.ts';

/** What the daemon serves to people behind the front. What may change something is taken from no other site's page. */
export function frontRoutes(
  office: Office,
  operations: readonly Operation[],
  status: () => Promise<Status>,
  version: string,
): Record<string, Route> {
  const routes: Record<string, Route> = {
    'GET /': async ({ user }) => (user === undefined ? text(401, 'log in first') : frontPage(await status(), user)),
    'GET /status.json': async () => json(200, await status()),
    'GET /password': showPasswordForm,
    'POST /password': changePassword(office.catalogue, office.bench.audit),
    ...apiRoutes(office, operations, 'front', version),
  };
  const guarded = (key: string, route: Route): Route =>
    key.startsWith('GET ') ? route : fromThisSite(route, office.bench.audit);
  return Object.fromEntries(Object.entries(routes).map(([key, route]) => [key, guarded(key, route)]));
}

/** A browser sends the login by itself, whichever page asks it to. The audit log is told who was made to ask. */
function fromThisSite(route: Route, audit: Audit): Route {
  const rate = makeRate(10, 5);
  return async (request) => {
    if (!isForeign(request)) return route(request);
    // who uses another name of this server has the same trouble
    const hint = `the pages of this one are at ${readSite().url}`;
    const refusal = new Refusal(403, 'this request came from another site', { hint });
    const { status, message } = refusal;
    const { user, method, path } = request;
    // whoever keeps asking tells the log nothing new
    if (user !== undefined && rate(user, Date.now()) === 0)
      await auditOrTell(audit, { who: user, what: `${method} ${path}`, to: '', result: `refused: ${status} ${message}` });
    return path.startsWith('/api/') ? json(status, refusalOf(refusal).body) : text(status, `${message}; ${hint}`);
  };
}
