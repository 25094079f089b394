import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { exitCodes } from '../../src/kernel/errors.ts';

/** A request as the routes see it: already read, already small. */
export interface Request {
  readonly method: string;
  readonly path: string;
  /** The logged-in user, from the front alone; undefined on the control socket. */
  readonly user: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** What stands in the path where the route has `{name}`. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

export interface Response {
  readonly status: number;
  readonly type: string;
  /** Beside those that every answer has. */
  readonly headers?: Readonly<Record<string, string>>;
  /** All of it, or parts as they come. */
  readonly body: string | AsyncIterable<string>;
}

export type Route = (request: Request) => Promise<Response>;

const maxBody = 64 * 1024;
/** Beyond this the connection is cut. */
const maxDrained = 16 * 1024 * 1024;

/**
 * Serves `routes` (`GET /path`) on a socket systemd handed over. `trustUser` only on the front's socket,
 * where the web server sets the header after its own login and no one else can connect.
 */
export function serveHttp(
  descriptor: number,
  routes: Readonly<Record<string, Route>>,
  { trustUser }: { trustUser: boolean },
): void {
  const server = http.createServer((incoming, outgoing) => {
    void handle(incoming, routes, trustUser)
      .catch((error: unknown): Response => {
        console.error(error);
        return text(500, 'something went wrong; the journal of devserverd has it');
      })
      .then((response) => send(outgoing, response))
      .catch((error: unknown) => {
        console.error(error);
        outgoing.destroy();
      });
  });
  server.requestTimeout = 30_000;
  server.listen({ fd: descriptor });
}

/** A plain text answer. */
export function text(status: number, body: string): Response {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}

/** A JSON answer. */
export function json(status: number, value: unknown): Response {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}

/** An HTML page. */
export function html(status: number, body: string): Response {
  return { status, type: 'text/html; charset=utf-8', body };
}

async function handle(incoming: IncomingMessage, routes: Readonly<Record<string, Route>>, trustUser: boolean): Promise<Response> {
  const method = incoming.method ?? 'GET';
  // no URL parser: it throws at `//`, and turns `//x/password` into /password
  const [path = '/', query = ''] = (incoming.url ?? '/').split('?', 2);
  const found = routeFor(routes, method === 'HEAD' ? 'GET' : method, path);
  if (found === undefined) return refused(path, 404, 'there is nothing here');
  const body = await readBody(incoming);
  if (body === undefined) return refused(path, 413, `a request may be ${maxBody} bytes long`);
  const header = incoming.headers['x-remote-user'];
  return found.route({
    method,
    path,
    user: trustUser && typeof header === 'string' && header !== '' ? header : undefined,
    headers: incoming.headers,
    body,
    params: found.params,
    query: new URLSearchParams(query),
  });
}

/** Who asks the API reads its errors in its own form. */
function refused(path: string, status: number, message: string): Response {
  return path.startsWith('/api/')
    ? json(status, { error: { message, details: [], exitCode: exitCodes.usage } })
    : text(status, message);
}

/** What may stand in a path for a parameter; everything that needs decoding is no name of ours. */
const parameter = /^[A-Za-z0-9._-]{1,64}$/;

/** The route of a request: `GET /projects/{name}` also holds for every one-word name. */
function routeFor(
  routes: Readonly<Record<string, Route>>,
  method: string,
  path: string,
): { route: Route; params: Record<string, string> } | undefined {
  const words = path.split('/');
  for (const [key, route] of Object.entries(routes)) {
    const [verb = '', pattern = ''] = key.split(' ');
    const parts = pattern.split('/');
    if (verb !== method || parts.length !== words.length) continue;
    const params: Record<string, string> = {};
    const fits = parts.every((part, index) => {
      const word = words[index] ?? '';
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      if (name === undefined) return part === word;
      params[name] = word;
      return parameter.test(word);
    });
    if (fits) return { route, params };
  }
  return undefined;
}

/** The body, or undefined when it is too long: that one is read to its end too, or the answer would not arrive. */
async function readBody(incoming: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxDrained) return undefined;
    if (size <= maxBody) parts.push(part);
  }
  return size > maxBody ? undefined : Buffer.concat(parts).toString('utf8');
}

async function send(outgoing: ServerResponse, { status, type, headers = {}, body }: Response): Promise<void> {
  outgoing.writeHead(status, {
    ...headers,
    'Content-Type': type,
    'Cache-Control': 'no-store',
    'Content-Security-Policy':
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
  });
  if (typeof body === 'string') {
    outgoing.end(body);
    return;
  }
  for await (const part of body) if (!outgoing.destroyed) outgoing.write(part);
  outgoing.end();
}
