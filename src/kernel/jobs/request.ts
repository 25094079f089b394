import { DriverError } from '../driver-kit.ts';

/** What a CI server said; redirects are not followed, since they are how it says "done". */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One request: 2xx, 3xx, 400 and 404 are answers. @throws DriverError when the server is not there, refuses its driver or fails. */
export type Request = (method: 'GET' | 'POST', path: string, xml?: string) => Promise<Answer>;

/** Where a CI server answers and how its driver logs in there. */
export interface ServerAddress {
  /** As people call it, in messages. */
  readonly title: string;
  /** Its unit, without `.service`. */
  readonly unit: string;
  /** Without a slash behind. */
  readonly base: string;
  /** The driver's account. */
  readonly user: string;
  readonly password: () => string;
  /** What to do when the server refuses that login. */
  readonly refused: string;
  /** What a request that changes something needs beside the login. */
  readonly changing?: (headers: Readonly<Record<string, string>>) => Promise<Readonly<Record<string, string>>>;
}

/** A verb makes several requests within its resource's timeout. */
const timeoutMs = 20_000;

/** Requests to a CI server as the driver's account. */
export function requestsTo({ title, unit, base, user, password, refused, changing }: ServerAddress): Request {
  const hint = `journalctl -u ${unit}`;
  const unreachable = (error: unknown): never => {
    throw error instanceof DriverError ? error : new DriverError(`${title} does not answer: ${reason(error)}`, hint);
  };
  return async (method, path, xml) => {
    const login = { Authorization: `Basic ${Buffer.from(`${user}:${password()}`, 'utf8').toString('base64')}` };
    const more = method === 'GET' || changing === undefined ? {} : await changing(login).catch(unreachable);
    const { status, body } = await fetch(`${base}/${path}`, {
      method,
      redirect: 'manual',
      headers: { ...login, ...more, 'Content-Type': 'application/xml' },
      signal: AbortSignal.timeout(timeoutMs),
      ...(xml === undefined ? {} : { body: xml }),
    })
      .then(async (response) => ({ status: response.status, body: await response.text() }))
      .catch(unreachable);
    if (status === 503) throw new DriverError(`${title} is starting`, hint);
    if (status === 401 || status === 403) throw new DriverError(`${title} refuses its own driver (${status})`, refused);
    if (status >= 500) throw new DriverError(`${title} answered ${status} to ${method} ${path}`, hint);
    return { status, body };
  };
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
