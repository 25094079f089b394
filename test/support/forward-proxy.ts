import http, { type IncomingMessage } from 'node:http';
import net, { type AddressInfo } from 'node:net';

/** A forward proxy as firms have one, that lets through whoever logs in. */
export interface ForwardProxy {
  readonly port: number;
  /** `METHOD TARGET` of what it was asked for and let through, then of what it refused with `407` before it. */
  readonly asked: readonly string[];
  readonly close: () => Promise<void>;
}

/**
 * Opens one on a free port of 127.0.0.1.
 * @param login `user:password` it wants; every host but itself is taken for 127.0.0.1, so that names need not exist.
 */
export async function openForwardProxy(login: string): Promise<ForwardProxy> {
  const asked: string[] = [];
  const wanted = `Basic ${Buffer.from(login).toString('base64')}`;
  const isLetIn = ({ method, url, headers }: IncomingMessage): boolean => {
    const isRight = headers['proxy-authorization'] === wanted;
    asked.push(`${isRight ? '' : '407 '}${method} ${url}`);
    return isRight;
  };
  const server = http.createServer((request, response) => {
    if (!isLetIn(request)) return void response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end();
    const { port, pathname } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    http
      .get({ host: '127.0.0.1', port, path: pathname, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      })
      .on('error', () => void (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  });
  // a tunnel is the server's no more
  const tunnels = new Set<net.Socket>();
  server.on('connect', (request, client: net.Socket) => {
    tunnels.add(client);
    client.on('error', () => {});
    if (!isLetIn(request)) return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    const target = net.connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(client);
      client.pipe(target);
    });
    target.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () => {
      server.closeAllConnections();
      for (const it of tunnels) it.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
