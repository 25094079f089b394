import http from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HandedSocket, startOnSocket } from '../support/handed-socket.ts';

const program = `
  import { json, serveHttp } from '/provision/daemon/server.ts';
  serveHttp(3, {
    'GET /': async ({ user, path }) => json(200, { user: user ?? null, path }),
    'POST /echo': async ({ body }) => json(200, { length: body.length }),
    'POST /api/echo': async ({ body }) => json(200, { length: body.length }),
    'GET /later': async () => ({ ...json(429, {}), headers: { 'Retry-After': '12' } }),
    'GET /boom': async () => { throw new Error('secret detail'); },
  }, { trustUser: process.argv[2] === 'front' });
`;

let front: HandedSocket;
let control: HandedSocket;
beforeAll(async () => {
  [front, control] = await Promise.all([startOnSocket(program, ['front']), startOnSocket(program, ['control'])]);
});
afterAll(() => Promise.all([front.close(), control.close()]));

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
}

function ask(
  socketPath: string,
  method: string,
  path: string,
  { headers = {}, body = '' }: { headers?: http.OutgoingHttpHeaders; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString('utf8')));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }));
    });
    // the server may hang up while a body it refused is still on its way
    request.on('error', (error) => setTimeout(() => reject(error), 200));
    request.end(body);
  });
}

describe("the daemon's web server", () => {
  it('believes the user header on the front alone', async () => {
    const headers = { 'X-Remote-User': 'ann' };
    expect(JSON.parse((await ask(front.socket, 'GET', '/', { headers })).body)).toEqual({ user: 'ann', path: '/' });
    expect(JSON.parse((await ask(control.socket, 'GET', '/', { headers })).body)).toEqual({ user: null, path: '/' });
    expect(JSON.parse((await ask(front.socket, 'GET', '/')).body)).toEqual({ user: null, path: '/' });
    expect(JSON.parse((await ask(front.socket, 'GET', '/', { headers: { 'X-Remote-User': '' } })).body)).toEqual({
      user: null,
      path: '/',
    });
  });

  it('knows nothing beside its routes, under whatever spelling', async () => {
    for (const path of ['/nope', '//', '//x/', '/../', '/%2e', '/echo', '/toString', '*', '/./'])
      expect((await ask(front.socket, 'GET', path)).status).toBe(404);
    expect((await ask(front.socket, 'DELETE', '/')).status).toBe(404);
    expect((await ask(front.socket, 'GET', '/?a=//b')).status).toBe(200);
  });

  it('answers HEAD like GET without a body', async () => {
    expect(await ask(front.socket, 'HEAD', '/')).toMatchObject({ status: 200, body: '' });
  });

  it('takes 64 KiB and answers 413 to more, however it is sent', async () => {
    const full = 'x'.repeat(64 * 1024);
    expect(await ask(front.socket, 'POST', '/echo', { body: full })).toMatchObject({ status: 200, body: '{"length":65536}\n' });
    expect(await ask(front.socket, 'POST', '/echo', { body: `${full}x` })).toMatchObject({ status: 413 });
    expect(
      await ask(front.socket, 'POST', '/echo', { body: full.repeat(4), headers: { 'Transfer-Encoding': 'chunked' } }),
    ).toMatchObject({ status: 413 });
    expect((await ask(front.socket, 'GET', '/')).status).toBe(200);
  });

  it('tells who asks the API so in its form', async () => {
    const error = (message: string): object => ({ error: { message, details: [], exitCode: 2 } });
    const large = await ask(front.socket, 'POST', '/api/echo', { body: 'x'.repeat(64 * 1024 + 1) });
    expect([large.status, JSON.parse(large.body)]).toEqual([413, error('a request may be 65536 bytes long')]);
    const unknown = await ask(front.socket, 'GET', '/api/nothing');
    expect([unknown.status, JSON.parse(unknown.body)]).toEqual([404, error('there is nothing here')]);
  });

  it('says when to come again', async () => {
    expect(await ask(front.socket, 'GET', '/later')).toMatchObject({ status: 429, headers: { 'retry-after': '12' } });
  });

  it('hangs up on a body without an end', async () => {
    const client = connect(front.socket);
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.on('error', () => {});
    client.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n');
    const part = Buffer.alloc(1024 * 1024);
    let sent = 0;
    while (!client.destroyed && sent < 64) {
      sent += 1;
      if (!client.write(part)) await Promise.race([closed, new Promise((drained) => client.once('drain', drained))]);
    }
    await closed;
    expect(sent).toBeLessThan(64);
    expect((await ask(front.socket, 'GET', '/')).status).toBe(200);
  });

  it('keeps the detail of its own errors to the journal', async () => {
    const answer = await ask(front.socket, 'GET', '/boom');
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('secret detail');
    await expect.poll(front.errors).toContain('secret detail');
  });

  it('forbids frames, scripts and caches with every answer', async () => {
    for (const path of ['/', '/nope', '/boom']) {
      const { headers } = await ask(front.socket, 'GET', path);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    }
  });

  it('survives a client that goes away in the middle', async () => {
    const client = connect(front.socket);
    client.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
    await new Promise((done) => setTimeout(done, 100));
    client.destroy();
    expect((await ask(front.socket, 'GET', '/')).status).toBe(200);
  });
});
