import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { makeRate } from '../api/rate.ts';
import { type Audit, auditOrTell } from '../audit/open-audit.ts';
import { askDriver } from '../drivers.ts';
import { passwordPage } from './pages.ts';
import { isSameSite } from './same-site.ts';
import { type Response, type Route, text } from './server.ts';

/** GET /password: the form. */
export const showPasswordForm: Route = async ({ user }) =>
  user === undefined ? text(401, 'log in first') : passwordPage(200, user, '');

/** POST /password: changes the logged-in user's own password, who must know the present one; each try is told the audit log. */
export function changePassword(catalogue: ApplianceCatalogue, audit: Audit, now: () => number = Date.now): Route {
  // whoever sits at a browser that is logged in must not find out the password here; each try costs a hash, too
  const [rateOfOne, rateOfAll] = [makeRate(10, 5), makeRate(60, 60)];
  return async (request) => {
    const { user } = request;
    if (user === undefined) return text(401, 'log in first');
    const tell = (result: string): Promise<void> => auditOrTell(audit, { who: user, what: 'password change', to: user, result });
    if (!isSameSite(request)) {
      if (rateOfOne(user, now()) === 0) await tell('refused: 403 this request came from another site');
      return text(403, 'this request came from another site');
    }
    const form = new URLSearchParams(request.body);
    const fresh = form.get('new') ?? '';
    if (fresh !== form.get('again')) return passwordPage(400, user, 'The new password was not typed the same way twice.');
    const wait = rateOfOne(user, now()) || rateOfAll('all', now());
    if (wait > 0) return later(user, wait);
    return tryChange(catalogue, user, form.get('old') ?? '', fresh, tell);
  };
}

function later(user: string, seconds: number): Response {
  const page = passwordPage(429, user, `Too many tries. Your password is as it was; try again in ${seconds} seconds.`);
  return { ...page, headers: { 'Retry-After': String(seconds) } };
}

async function tryChange(
  catalogue: ApplianceCatalogue,
  user: string,
  old: string,
  fresh: string,
  tell: (result: string) => Promise<void>,
): Promise<Response> {
  const directory = catalogue.components.find(({ provides }) => provides.includes('directory'));
  if (directory === undefined) return text(503, 'this appliance has no user database');
  try {
    await askDriver(directory, 'password', { user, old, new: fresh }, 20);
    await tell('done');
    return passwordPage(200, user, 'Your password is changed.');
  } catch (error) {
    await tell(error instanceof UserError ? `refused: 400 ${error.message}` : 'failed: 500');
    if (error instanceof UserError) return passwordPage(400, user, error.message);
    throw error;
  }
}
