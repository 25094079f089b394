import http from 'node:http';
import https from 'node:https';
import { createInterface } from 'node:readline';
import type { UserError } from '../errors.ts';
import { cutShort, interrupted, refusalIn, unreachable, unreadable } from './failure.ts';
import type { Reach } from './reach.ts';

type Line = Readonly<Record<string, unknown>>;

/** Asks the API. @throws UserError in the server's words, with its hint and exit code. */
export interface Api {
  readonly get: <T>(path: string) => Promise<T>;
  readonly send: <T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown) => Promise<T>;
  /** The same for what takes a while: every line as it comes; the last one, of type result, is the answer. */
  readonly follow: <T>(
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body: unknown,
    onLine: (line: Record<string, unknown>) => void,
  ) => Promise<T>;
}

/** Milliseconds without a word from the server. */
const silence = 960_000;
/** Milliseconds after which a silent connection is probed: a server that lost its power says nothing. */
const probe = 30_000;

/** The API over the administrator's socket, or over HTTPS with a login. When `signal` aborts, waiting ends and no job does. */
export function openApi(reach: Reach, signal?: AbortSignal): Api {
  const via = { reach, signal };
  return {
    get: (path) => ask(via, { method: 'GET', path }),
    send: (method, path, body) => ask(via, { method, path, body }),
    follow: (method, path, body, onLine) => ask(via, { method, path, body, onLine }),
  };
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly onLine?: (line: Record<string, unknown>) => void;
}

function ask<T>({ reach, signal }: { reach: Reach; signal: AbortSignal | undefined }, asked: Asked): Promise<T> {
  const { method, path, onLine } = asked;
  const isChange = method !== 'GET' && !path.endsWith('dryRun=true');
  // a change goes on behind a broken connection, once the server can have heard of it
  let connected = false;
  let job: string | undefined;
  const broken = (): UserError =>
    isChange && connected ? cutShort(reach, job) : unreachable(reach, new Error('the connection broke'));
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(interrupted(reach));
    const request = begin(reach, asked);
    const abort = (): void => {
      reject(interrupted(reach, isChange && connected ? { job } : undefined));
      request.destroy();
    };
    signal?.addEventListener('abort', abort, { once: true });
    request.on('close', () => signal?.removeEventListener('abort', abort));
    request.on('socket', (socket) => {
      socket.setKeepAlive(true, probe);
      socket.once('socket' in reach ? 'connect' : 'secureConnect', () => {
        connected = true;
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${silence / 1000} s`)));
    request.on('error', (error) => reject(isChange && connected ? broken() : unreachable(reach, error)));
    request.on('response', (response) => {
      const onValue = (value: Record<string, unknown>): void => {
        if (value.type === 'job' && typeof value.job === 'string') job = value.job;
        if (value.type !== 'result' && value.type !== 'error' && value.error === undefined) onLine?.(value);
      };
      const status = response.statusCode ?? 0;
      readValues(response, onValue).then(
        ({ last, isReadable }) => {
          const refusal = isReadable ? refusalIn(last, status) : undefined;
          if (refusal !== undefined) return reject(refusal);
          // the front gave up on a daemon that had taken the request
          const gaveUp = isChange && (status === 502 || status === 504);
          if (gaveUp || !response.complete) return reject(broken());
          if (!isReadable || last === undefined || status >= 400) return reject(unreadable(reach, status));
          if (onLine !== undefined && last.type !== 'result' && last.dryRun !== true) return reject(broken());
          resolve(last as T);
        },
        () => reject(broken()),
      );
    });
  });
}

/** A JSON value per line, as they come; the last one is the answer, if it could be read. */
function readValues(
  response: http.IncomingMessage,
  onValue: (value: Record<string, unknown>) => void,
): Promise<{ last: Line | undefined; isReadable: boolean }> {
  return new Promise((resolve, reject) => {
    let last: Line | undefined;
    let isReadable = true;
    const reader = createInterface({ input: response });
    reader.on('line', (line) => {
      const value = parsed(line);
      isReadable = value !== undefined;
      if (value === undefined) return;
      last = value;
      onValue(value);
    });
    reader.on('close', () => resolve({ last, isReadable }));
    // a daemon that dies cuts the answer short; readline would make that an error nobody handles
    reader.on('error', reject);
    response.on('error', reject);
  });
}

/** Sends the request. */
function begin(reach: Reach, { method, path, body, onLine }: Asked): http.ClientRequest {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    Accept: onLine === undefined ? 'application/json' : 'application/x-ndjson',
    ...(text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
  };
  // no agent: a kept connection may be closed by the server at the moment it is used again
  const common = { method, headers, timeout: silence, agent: false } as const;
  if ('socket' in reach) return http.request({ ...common, socketPath: reach.socket, path: `/api${path}` }).end(text);
  const { url, user, password, authority } = reach;
  const more = {
    auth: `${user}:${password.reveal()}`,
    // also where the environment tells Node.js to trust everybody
    rejectUnauthorized: true,
    ...(authority === undefined ? {} : { ca: authority.certificate }),
  };
  return https.request(new URL(`/api${path}`, url), { ...common, ...more }).end(text);
}

/** A list is an answer too; everything else the server sends is an object. */
function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
