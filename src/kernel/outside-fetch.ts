import type { Dispatcher } from 'undici';
import { type Environment, proxyFor } from './proxy.ts';

/** What is asked for. */
export interface OutsideRequest {
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** As far as both kinds of fetch agree. */
export interface OutsideAnswer {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { readonly get: (name: string) => string | null; readonly has: (name: string) => boolean };
  readonly body: AsyncIterable<Uint8Array> | null;
}

/**
 * fetch, by the proxy of the environment where it names one. Node's own fetch reads no such variable before Node 24; undici
 * is what it is made of, is kept by the same people, and does tunnels, logins and redirects from one proxied address to another.
 */
export async function fetchOutside(
  url: string,
  { signal, ...request }: OutsideRequest,
  env: Environment = process.env,
): Promise<OutsideAnswer> {
  const init = { ...request, ...(signal === undefined ? {} : { signal }) };
  // nothing of undici is loaded for those who have no proxy
  if (!mayNeedProxy(env)) return fetch(url, init);
  // one that can't be used is told before any name is asked for
  proxyFor(url, env);
  const undici = await import('undici');
  const agentOf = (proxy: URL | undefined): Dispatcher => {
    const key = proxy?.href ?? '';
    // an address without TLS is asked of the proxy itself: many allow tunnels to port 443 alone
    const made = () => (proxy === undefined ? new undici.Agent() : new undici.ProxyAgent({ uri: key, proxyTunnel: false }));
    const agent = agents.get(key) ?? made();
    agents.set(key, agent);
    return agent;
  };
  // asked for each request, since a redirect may lead to a host that has another proxy or none
  const dispatcher = agentOf(undefined).compose(() => (options, handler) => {
    return agentOf(proxyFor(String(options.origin), env)).dispatch(options, handler);
  });
  return undici.fetch(url, { ...init, dispatcher });
}

/** By their proxies: they keep connections open for the next request. */
const agents = new Map<string, Dispatcher>();

function mayNeedProxy(env: Environment): boolean {
  return ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => env[name] !== undefined && env[name] !== '');
}
