import { readFileSync } from 'node:fs';
import { DriverError } from '../../../src/kernel/driver-kit.ts';

const base = 'http://127.0.0.1:8082/hudson';
const hint = 'journalctl -u devserver-tomcat@hudson';
/** A verb makes several requests within its resource's timeout. */
const timeoutMs = 20_000;

/** What Hudson said; redirects are not followed, since they are how it says "done". */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * One request to Hudson as the driver's account. 2xx, 3xx, 400 and 404 are answers.
 * @throws DriverError when Hudson is not there, refuses its driver or fails.
 */
export async function hudson(method: 'GET' | 'POST', path: string, xml?: string): Promise<Answer> {
  const password = readFileSync('/srv/system/secrets/hudson/service', 'utf8');
  const login = Buffer.from(`hudson-driver:${password}`, 'utf8').toString('base64');
  const { status, body } = await fetch(`${base}/${path}`, {
    method,
    redirect: 'manual',
    headers: { Authorization: `Basic ${login}`, 'Content-Type': 'application/xml' },
    signal: AbortSignal.timeout(timeoutMs),
    ...(xml === undefined ? {} : { body: xml }),
  })
    .then(async (response) => ({ status: response.status, body: await response.text() }))
    .catch((error: unknown) => {
      throw new DriverError(`Hudson does not answer: ${reason(error)}`, hint);
    });
  if (status === 503) throw new DriverError('Hudson is starting', hint);
  if (status === 401 || status === 403)
    throw new DriverError(`Hudson refuses its own driver (${status})`, 'is the directory up? devserver status');
  if (status >= 500) throw new DriverError(`Hudson answered ${status} to ${method} ${path}`, hint);
  return { status, body };
}

/** As `hudson`, for a request that must succeed. */
export async function must(method: 'GET' | 'POST', path: string, xml?: string): Promise<Answer> {
  const answer = await hudson(method, path, xml);
  if (answer.status >= 400) throw new DriverError(`Hudson answered ${answer.status} to ${method} ${path}`, hint);
  return answer;
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
