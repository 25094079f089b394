import { readFileSync } from 'node:fs';
import { DriverError } from '../../../src/kernel/driver-kit.ts';
import { type Answer, get, isRefusal, post } from './rest.ts';

/** Where Archiva answers. */
export const base = 'http://127.0.0.1:8081/archiva';

/** Where Archiva says more. */
export const hint = 'journalctl -u devserver-tomcat@archiva';
/** A verb makes several requests within its resource's timeout. */
const timeoutMs = 25_000;

/** One of the component's secrets. */
export function secret(name: string): string {
  return readFileSync(`/srv/system/secrets/archiva/${name}`, 'utf8');
}

/** Asks Archiva as the driver's account: with `body` a POST. @throws DriverError when it is not there or refuses its driver. */
export async function ask(path: string, body?: object): Promise<Answer> {
  const credential = { user: 'archiva-driver', password: secret('service') };
  const connection = { base, credential, signal: undefined, timeoutMs };
  const answer = await (body === undefined ? get(connection, path) : post(connection, path, body)).catch((error: unknown) => {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new DriverError(`Archiva does not answer: ${cause instanceof Error ? cause.message : String(cause)}`, hint);
  });
  if (isRefusal(answer)) throw new DriverError(`Archiva refuses its own driver (${answer.status})`, hint);
  if (answer.status === 404 || answer.status === 503) throw new DriverError('Archiva is starting', hint);
  return answer;
}

/** As `ask`, for a POST that must succeed. */
export async function tell(path: string, body: object): Promise<void> {
  const { status } = await ask(path, body);
  if (status !== 200) throw new DriverError(`Archiva answered ${status} to ${path}`, hint);
}
