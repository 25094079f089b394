import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

/** A web server of a test. */
export interface FileServer {
  /** http://127.0.0.1:PORT, without a slash behind. */
  readonly url: string;
  /** Paths asked for so far. */
  readonly asked: readonly string[];
  readonly close: () => Promise<void>;
}

/** Serves the files below `root` on a free port of the loopback. */
export async function serveFiles(root: string): Promise<FileServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const wanted = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname);
    asked.push(wanted);
    const file = path.join(root, path.normalize(wanted));
    if (!file.startsWith(root) || !existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': statSync(file).size });
    if (request.method === 'HEAD') return void response.end();
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
