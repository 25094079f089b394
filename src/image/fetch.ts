import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { fetchOutside } from '../kernel/outside-fetch.ts';
import { proxyFor, shownProxy } from '../kernel/proxy.ts';
import { writeFully } from './write-fully.ts';

/** How to fetch. */
export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes so far and, when the server tells, in all. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
  /** Milliseconds without a byte after which a try is given up. Default 60 s. */
  readonly idleTimeout?: number;
  /** Milliseconds between two tries. Default 1 s, doubled each time. */
  readonly pause?: number;
}

/**
 * Fetches an address into a file and returns what arrived. Network errors, time-outs and 5xx answers are
 * tried three times. The proxy is the environment's.
 * @throws UserError; exit 4 when the network does not answer, or the proxy does not let it through.
 */
export async function fetchToFile(
  url: string,
  file: string,
  options: FetchOptions = {},
): Promise<{ sha256: string; bytes: number }> {
  return withRetries(url, options, async () => {
    const hash = createHash('sha256');
    let bytes = 0;
    const handle = await open(file, 'w');
    try {
      for await (const chunk of bodyOf(url, options)) {
        hash.update(chunk);
        await writeFully(handle, chunk);
        bytes += chunk.length;
      }
    } finally {
      await handle.close();
    }
    return { sha256: hash.digest('hex'), bytes };
  });
}

/** Fetches a small text, with the same patience. */
export async function fetchText(url: string, options: FetchOptions = {}): Promise<string> {
  return withRetries(url, options, async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bodyOf(url, options)) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  });
}

async function* bodyOf(url: string, options: FetchOptions): AsyncGenerator<Uint8Array> {
  const idle = new AbortController();
  const limit = options.idleTimeout ?? 60_000;
  const giveUp = () => idle.abort(new Error(`no bytes for ${limit / 1000} s`));
  const timer = setTimeout(giveUp, limit);
  try {
    const signal = options.signal === undefined ? idle.signal : AbortSignal.any([idle.signal, options.signal]);
    const response = await fetchOutside(url, { signal, headers: { ...options.headers } });
    if (!response.ok) throw answerError(url, response.status);
    const length = response.headers.get('content-length');
    // The length counts the compressed bytes when the server compresses.
    const total = length === null || response.headers.has('content-encoding') ? undefined : Number(length);
    let received = 0;
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      received += chunk.length;
      options.onProgress?.(received, total);
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
    // Whoever stops listening early also ends the connection.
    idle.abort();
  }
}

function answerError(url: string, status: number): Error {
  if (status >= 500 || status === 429) return new Error(`the server answered ${status}`);
  const proxy = proxyFor(url, process.env);
  const by = proxy === undefined ? '' : ` (through the proxy ${shownProxy(proxy)})`;
  return new UserError(`${url} answered ${status}${by}`, {
    hint: status === 404 ? 'the artifact is not there; check its coordinates or the mirror' : 'check the mirror',
  });
}

async function withRetries<T>(url: string, options: FetchOptions, attempt: () => Promise<T>): Promise<T> {
  for (let left = tries - 1; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (options.signal?.aborted === true) throw new UserError('interrupted', { exitCode: exitCodes.interrupted });
      // an answer that another try would not change
      if (error instanceof UserError || isLocal(error)) throw error;
      if (left === 0 || refusal.test(reason(error))) throw unreachable(url, error);
      await sleep((options.pause ?? 1000) * 2 ** (tries - 1 - left));
    }
  }
}

const tries = 3;
/** What is said of a proxy that lets nothing through without another login, or to that address. */
const refusal = /Proxy (?:Authentication Required|response) \(4\d\d\)/;

function unreachable(url: string, error: unknown): UserError {
  const proxy = proxyFor(url, process.env);
  if (proxy !== undefined) return proxyError(url, proxy, reason(error), error);
  return new UserError(`${url} could not be fetched: ${reason(error)}`, {
    hint: 'check the network connection, or name a reachable mirror; what was fetched before is kept',
    exitCode: exitCodes.machineLacks,
    cause: error,
  });
}

function proxyError(url: string, proxy: URL, why: string, cause: unknown): UserError {
  const name = new URL(url).protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  return new UserError(`${url} could not be fetched through the proxy ${shownProxy(proxy)}: ${why}`, {
    hint: `check ${name} (http://USER:PASSWORD@HOST:PORT), or name ${new URL(url).hostname} in no_proxy where it is reached without`,
    exitCode: exitCodes.machineLacks,
    cause,
  });
}

/** fetch hides the reason ("getaddrinfo ENOTFOUND …") in its cause, a tunnel in the cause of that. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error.cause instanceof Error ? reason(error.cause) : '') || error.message;
}

/** Errors of this machine's disk, which another try would not mend. */
function isLocal(error: unknown): boolean {
  return error instanceof Error && ['ENOSPC', 'EACCES', 'EROFS', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
}
