/** Requests to Archiva's REST services. */

const defaultTimeoutMs = 60_000;

export interface Credential {
  readonly user: string;
  readonly password: string;
}

/** Archiva answered something that no step can go on from. */
export class ArchivaError extends Error {
  override readonly name = 'ArchivaError';
  readonly status: number;
  /** no-root: the first start was cut short, and only another first start helps. */
  readonly reason: 'no-root' | 'other';

  constructor(message: string, status: number, reason: 'no-root' | 'other' = 'other') {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** Where to ask, and as whom; nobody: without a login. */
export interface Connection {
  readonly base: string;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal | undefined;
  /** For one request; a minute unless said. */
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** For calls that say true when they did it. */
export function requireTrue({ status, body }: Answer, call: string): void {
  if (status !== 200 || body !== true) throw new ArchivaError(`${call} answered ${status} ${JSON.stringify(body)}`, status);
}

/** Whether the asker may not. */
export const isRefusal = ({ status }: Answer): boolean => status === 401 || status === 403;
export const isEmptyList = (body: unknown): boolean => Array.isArray(body) && body.length === 0;

export const get = (connection: Connection, path: string): Promise<Answer> => request(connection, path, { method: 'GET' });

export const post = (connection: Connection, path: string, body: object): Promise<Answer> =>
  request(connection, path, { method: 'POST', body: JSON.stringify(body) });

async function request(connection: Connection, path: string, init: { method: string; body?: string }): Promise<Answer> {
  const timeout = AbortSignal.timeout(connection.timeoutMs ?? defaultTimeoutMs);
  const response = await fetch(`${connection.base}/restServices/${path}`, {
    ...init,
    headers: headersOf(connection),
    redirect: 'manual',
    signal: connection.signal ? AbortSignal.any([connection.signal, timeout]) : timeout,
  });
  return { status: response.status, body: parse(await response.text()) };
}

function headersOf({ base, credential }: Connection): Record<string, string> {
  const { origin } = new URL(base);
  const headers = { Accept: 'application/json', 'Content-Type': 'application/json', Origin: origin, Referer: `${base}/` };
  return credential ? { ...headers, Authorization: basic(credential) } : headers;
}

const basic = ({ user, password }: Credential): string =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;

/** Archiva's error pages are HTML: they count as their text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
