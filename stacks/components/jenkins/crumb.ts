import { DriverError } from '../../../src/kernel/driver-kit.ts';

type Headers = Readonly<Record<string, string>>;

/**
 * What Jenkins wants of every POST that comes with a password: a crumb, which counts only in the session it was given in.
 * An API token would need none, but its core can't be told one in advance without keeping it in its home.
 */
export function crumbFrom(base: string): (login: Headers) => Promise<Headers> {
  return async (login) => {
    const response = await fetch(`${base}/crumbIssuer/api/json`, {
      redirect: 'manual',
      headers: { ...login },
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    if (response.status === 503) throw new DriverError('Jenkins is starting', hint);
    if (response.status !== 200) throw new DriverError(`Jenkins gives its own driver no crumb (${response.status})`, hint);
    const { crumb, crumbRequestField } = JSON.parse(text) as { crumb: string; crumbRequestField: string };
    const cookies = response.headers.getSetCookie().map((it) => it.split(';')[0] ?? '');
    return { [crumbRequestField]: crumb, Cookie: cookies.join('; ') };
  };
}

const hint = 'journalctl -u jenkins';
