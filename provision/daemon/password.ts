import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { askDriver } from '../drivers.ts';
import { passwordPage } from './pages.ts';
import { isSameSite } from './same-site.ts';
import { type Response, type Route, text } from './server.ts';

/** GET /password: the form. */
export const showPasswordForm: Route = async ({ user }) =>
  user === undefined ? text(401, 'log in first') : passwordPage(200, user, '');

/** POST /password: changes the logged-in user's own password, who must know the present one. */
export function changePassword(catalogue: ApplianceCatalogue): Route {
  return async (request) => {
    const { user } = request;
    if (user === undefined) return text(401, 'log in first');
    if (!isSameSite(request)) return text(403, 'this request came from another site');
    const form = new URLSearchParams(request.body);
    const fresh = form.get('new') ?? '';
    if (fresh !== form.get('again')) return passwordPage(400, user, 'The new password was not typed the same way twice.');
    return tryChange(catalogue, user, form.get('old') ?? '', fresh);
  };
}

async function tryChange(catalogue: ApplianceCatalogue, user: string, old: string, fresh: string): Promise<Response> {
  const directory = catalogue.components.find(({ provides }) => provides.includes('directory'));
  if (directory === undefined) return text(503, 'this appliance has no user database');
  try {
    await askDriver(directory, 'password', { user, old, new: fresh }, 20);
    return passwordPage(200, user, 'Your password is changed.');
  } catch (error) {
    if (error instanceof UserError) return passwordPage(400, user, error.message);
    throw error;
  }
}
