import { isIP } from 'node:net';
import { exitCodes, UserError } from './errors.ts';

/** A program's environment, as far as proxies go. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The forward proxy by which an address is reached: http_proxy or https_proxy by the address's own scheme, unless no_proxy
 * names its host or it is this computer. Small letters win over capital ones, and what is empty counts as not set, as with curl.
 * @returns its address with any login it needs, which `shownProxy` leaves out; undefined: none.
 * @throws UserError (exit 2) when the variable holds no proxy's address; its value is not told, since it may hold a password.
 */
export function proxyFor(address: string, env: Environment): URL | undefined {
  const url = new URL(address);
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const value = setting(name, env);
  if (value === undefined || isExcepted(url, setting('no_proxy', env) ?? '')) return undefined;
  const text = value.includes('://') ? value : `http://${value}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy !== undefined && ['http:', 'https:'].includes(proxy.protocol) && proxy.hostname !== '') return proxy;
  throw new UserError(`${name} is set, but not to the address of an HTTP proxy`, {
    exitCode: exitCodes.usage,
    hint: `set it to one such as http://proxy.example.org:3128, or unset it`,
  });
}

/** A proxy's address without the login. */
export function shownProxy({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}

/** The variables in small letters, which are the only ones apt reads, where they are set in capital letters alone. */
export function smallProxyVariables(env: Environment): Record<string, string> {
  return Object.fromEntries(
    ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => {
      const value = setting(name, env);
      return value === undefined || value === env[name] ? [] : [[name, value]];
    }),
  );
}

function setting(name: string, env: Environment): string | undefined {
  return [env[name], env[name.toUpperCase()]].find((value) => value !== undefined && value !== '');
}

/** no_proxy is a list of hosts, each with all below it and perhaps with a port; `*` is every host. */
function isExcepted({ hostname, port, protocol }: URL, list: string): boolean {
  const actualPort = port === '' ? { 'http:': '80', 'https:': '443' }[protocol] : port;
  // a proxy takes such an address for itself
  if (hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))) return true;
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true;
    const [, host = '', onlyPort] = /^(?:\*?\.)?(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    if (host === '' || (onlyPort !== undefined && onlyPort !== actualPort)) return false;
    return hostname === host || hostname === `[${host}]` || (isIP(hostname) === 0 && hostname.endsWith(`.${host}`));
  });
}
