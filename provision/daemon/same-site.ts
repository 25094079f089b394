import { readSite } from '../boot/site.ts';
import type { Request } from './server.ts';

type Headed = Pick<Request, 'headers'>;

/**
 * Whether a request says that a page of another site had it sent. Browsers say so, by either header, and no page can change
 * what they say; both must be right where both are there. A program that logs in by itself says nothing.
 */
export function isForeign({ headers }: Headed): boolean {
  const { origin, 'sec-fetch-site': site } = headers;
  return (site !== undefined && site !== 'same-origin') || (origin !== undefined && origin !== ownOrigin());
}

/** Whether a request says that a page of this site had it sent; what only a form of ours sends must say so. */
export function isSameSite(request: Headed): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  return (origin !== undefined || site !== undefined) && !isForeign(request);
}

/** As a browser writes it: without a port that is the usual one. */
function ownOrigin(): string {
  return new URL(readSite().url).origin;
}
