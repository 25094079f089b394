import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeAuthority, makeCertificate } from '../../provision/boot/certificates.ts';
import { realSystem } from '../../src/kernel/system.ts';

/** A request as the server got it. */
export interface GotRequest {
  readonly method: string;
  readonly url: string;
  /** `user:password` of the login. */
  readonly login: string;
  readonly body: string;
}

export type Answerer = (request: GotRequest, response: ServerResponse) => void;

/** A server with a certificate of an authority of its own, that speaks as the front and the daemon do. */
export interface ApiServer {
  /** https://127.0.0.1:PORT */
  readonly url: string;
  readonly port: number;
  /** File with the authority's certificate. */
  readonly ca: string;
  readonly got: readonly GotRequest[];
  /** What it answers to a known login from now on; by default a project is made. Forgets what it got. */
  readonly answerWith: (answerer?: Answerer) => void;
  readonly close: () => Promise<void>;
}

export interface ServerCertificate {
  readonly names?: readonly string[];
  /** How long it holds; 0: it is over at once. */
  readonly days?: number;
}

export const goodLogin = 'ann:pass wörd:1';

/** Opens a server on a free port of 127.0.0.1. */
export async function openApiServer({
  names = ['127.0.0.1', 'localhost'],
  days = 2,
}: ServerCertificate = {}): Promise<ApiServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'api-server-'));
  const [ca, tls] = [path.join(folder, 'ca'), path.join(folder, 'tls')];
  await makeAuthority(ca, 'CA of test', 2, realSystem());
  await makeCertificate({ file: tls, issuer: ca, names, days, renewBefore: 0 }, realSystem());
  const got: GotRequest[] = [];
  let answer: Answerer = makesProject;
  const server = https.createServer(
    { key: readFileSync(`${tls}.key`), cert: readFileSync(`${tls}.crt`) },
    (request, response) => {
      void readAll(request).then(
        (all) => {
          got.push(all);
          if (all.login === goodLogin) answer(all, response);
          else page(response, 401, 'Unauthorized');
        },
        () => response.destroy(),
      );
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `https://127.0.0.1:${port}`, port, ca: `${ca}.crt`, got },
    answerWith: (answerer = makesProject) => {
      answer = answerer;
      got.length = 0;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The front's own page, as Apache makes it. */
export function page(response: ServerResponse, status: number, title: string): void {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=iso-8859-1' });
  response.end(
    `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>${status} ${title}</title>\n</head></html>\n`,
  );
}

/** A refusal of the daemon. */
export function refuse(response: ServerResponse, status: number, error: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(`${JSON.stringify({ error: { details: [], ...error } })}\n`);
}

/** The first lines of a stream of progress: a job of two steps, the first of them done. */
export function beginJob(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  response.write(`${JSON.stringify({ type: 'job', job, steps: 2 })}\n`);
  for (const state of ['doing', 'done']) step(response, 0, 'make', 'git.repository', state);
}

export function step(response: ServerResponse, index: number, verb: string, key: string, state: string): void {
  response.write(`${JSON.stringify({ type: 'step', index, count: 2, key, verb, state, seconds: 0.12 })}\n`);
}

export const job = '20260101t000000000-0a1b2c3d';

/** Templates, offer, a plan, and a whole project. */
export function makesProject(request: GotRequest, response: ServerResponse): void {
  const { method, url, body } = request;
  const value = known[`${method} ${url}`];
  if (value !== undefined) {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(`${JSON.stringify(value)}\n`);
  } else if (method === 'POST' && url === '/api/projects') {
    const { name } = JSON.parse(body) as { name: string };
    beginJob(response);
    for (const state of ['doing', 'done']) step(response, 1, 'apply', 'trac.environment', state);
    response.end(`${JSON.stringify({ type: 'result', job, seconds: 0.3, project: shown(name) })}\n`);
  } else page(response, 404, 'Not Found');
}

const known: Readonly<Record<string, unknown>> = {
  'GET /api/templates': [
    { name: 'empty', title: 'Empty', summary: '', parts: [], lacks: [] },
    { name: 'node', title: 'Node.js', summary: '', parts: [], lacks: ['nodejs-build'] },
  ],
  'GET /api/offer': { vcs: ['git', 'svn'], parts: ['maven', 'ci'] },
  'POST /api/projects?dryRun=true': { dryRun: true, steps: ['make git.repository', 'apply trac.environment'] },
};

function shown(name: string): object {
  const at = 'https://dev.example.org';
  return {
    ...{ name, title: name, description: '', vcs: 'git', visibility: 'private', archived: false, template: 'empty' },
    ...{ members: { ann: 'admin' }, created: '2026-01-01T00:00:00Z', by: 'ann' },
    links: {
      vcs: { url: `${at}/git/${name}.git`, clone: `git clone ${at}/git/${name}.git` },
      tracker: { url: `${at}/trac/${name}` },
      ci: { url: `${at}/hudson/job/${name}` },
      maven: { url: `${at}/archiva/repository/${name}` },
    },
  };
}

async function readAll(request: IncomingMessage): Promise<GotRequest> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const basic = /^Basic (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  return {
    ...{ method: request.method ?? '', url: request.url ?? '' },
    login: Buffer.from(basic, 'base64').toString('utf8'),
    body: Buffer.concat(parts).toString('utf8'),
  };
}
