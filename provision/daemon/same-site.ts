import { readSite } from '../boot/site.ts';
import type { Request } from './server.ts';

/** A form of another site can't forge these headers; a browser sends at least one of them with a POST. */
export function isSameSite({ headers }: Pick<Request, 'headers'>): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin } = headers;
  return origin === undefined ? false : origin === readSite().url;
}
