import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a CI server of the family differs from the other. */
export interface Manners {
  /** Below a job, gives it another name. */
  readonly renames: string;
  /** A POST needs a crumb of the session it comes in. */
  readonly wantsCrumb: boolean;
  /** A job's directory goes in a thread, after the answer. */
  readonly deletesLater: boolean;
}

/** A stand-in for a CI server: jobs in its memory and in directories, as far as drivers ask. */
export interface JobServerStandIn {
  readonly url: string;
  /** What it remembers. */
  readonly known: () => string[];
  /** Builds it shows of a job, with whether they run. */
  readonly builds: (name: string) => { number: number; building: boolean; spoilt: boolean }[];
  readonly log: (name: string, number: number) => string;
  /** Builds that begin from now on run until they are let go. */
  holds: boolean;
  /** What it answers to everything while it starts. */
  starting: boolean;
  /** The next job to be made fails, and what lies in its place is deleted. */
  failsToMake: boolean;
  /** As a restart does: what it knows is what is on the disk. */
  readonly reread: () => void;
  readonly close: () => Promise<void>;
}

interface Build {
  readonly number: number;
  building: boolean;
  /** Taken for one that failed, since the history was read while it ran. */
  spoilt: boolean;
}

export const login = { user: 'driver', password: 'aB3' } as const;

/** Starts one over the jobs in `root`. */
export async function startJobServer(root: string, manners: Manners): Promise<JobServerStandIn> {
  const jobs = new Map<string, Build[]>();
  const sessions = new Map<string, string>();
  const folder = (name: string): string => path.join(root, name);
  const config = (name: string): string => path.join(folder(name), 'config.xml');
  const state = { holds: false, starting: false, failsToMake: false };

  const history = (name: string): Build[] => {
    const below = path.join(folder(name), 'builds');
    const numbers = existsSync(below) ? readdirSync(below).map(Number) : [];
    const running = new Set((jobs.get(name) ?? []).filter(({ building }) => building).map(({ number }) => number));
    return numbers.sort((a, b) => a - b).map((number) => ({ number, building: false, spoilt: running.has(number) }));
  };
  const reread = (): void => {
    jobs.clear();
    for (const name of readdirSync(root)) if (existsSync(config(name))) jobs.set(name, history(name));
  };
  /** Saves in its own words: no comment stays. */
  const save = (name: string, change: (xml: string) => string): void => {
    mkdirSync(folder(name), { recursive: true });
    const xml = existsSync(config(name)) ? readFileSync(config(name), 'utf8') : '<project/>';
    writeFileSync(config(name), change(xml).replace(/<!--.*?-->\n?/, ''));
  };
  const make = (name: string, xml: string): number => {
    if (jobs.has(name)) return 400;
    mkdirSync(folder(name), { recursive: true });
    writeFileSync(config(name), xml);
    if (state.failsToMake || !xml.includes('</project>')) {
      state.failsToMake = false;
      rmSync(folder(name), { recursive: true });
      return 500;
    }
    jobs.set(name, history(name));
    return 200;
  };
  const build = (name: string, known: Build[]): number => {
    if (readFileSync(config(name), 'utf8').includes('<disabled>true</disabled>')) return 409;
    const number = (known.at(-1)?.number ?? 0) + 1;
    mkdirSync(path.join(folder(name), 'builds', String(number)), { recursive: true });
    writeFileSync(path.join(folder(name), 'builds', String(number), 'log'), `build ${number} of ${name} at ${Date.now()}\n`);
    known.push({ number, building: state.holds, spoilt: false });
    return 201;
  };
  const rename = (name: string, known: Build[], to: string): number => {
    if (jobs.has(to) || known.some(({ building }) => building)) return 400;
    renameSync(folder(name), folder(to));
    jobs.delete(name);
    jobs.set(to, known);
    return 302;
  };
  const remove = async (name: string): Promise<number> => {
    jobs.delete(name);
    const gone = async (): Promise<void> => {
      if (manners.deletesLater) await sleep(20);
      rmSync(folder(name), { recursive: true, force: true });
    };
    if (manners.deletesLater) void gone().catch(gone);
    else await gone();
    return 302;
  };

  /** A POST to a job; the path below it. */
  const change = async (name: string, what: string, query: URLSearchParams, body: string): Promise<number> => {
    const known = jobs.get(name);
    if (known === undefined) return 404;
    const stopped = /^(\d+)\/stop$/.exec(what);
    if (stopped !== null) {
      for (const it of known) if (it.number === Number(stopped[1])) it.building = false;
      return 302;
    }
    switch (what) {
      case 'config.xml':
        mkdirSync(folder(name), { recursive: true });
        writeFileSync(config(name), body);
        jobs.set(name, history(name));
        return 200;
      case 'description':
        save(name, (xml) => xml.replace(/<description>[^<]*/, () => `<description>${escaped(query.get('description') ?? '')}`));
        return 204;
      case 'disable':
        save(name, (xml) => xml.replace(/(canRoam>\s*)<disabled>false/, '$1<disabled>true'));
        return 302;
      case 'build':
        return build(name, known);
      case 'doDelete':
        return remove(name);
      default:
        return what === manners.renames ? rename(name, known, query.get('newName') ?? '') : 404;
    }
  };

  const answer = async (request: IncomingMessage): Promise<{ status: number; body?: string; cookie?: string }> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    const body = await text(request);
    if (state.starting) return { status: 503 };
    if (request.headers.authorization !== `Basic ${btoa(`${login.user}:${login.password}`)}`) return { status: 401 };
    if (pathname === '/crumbIssuer/api/json') {
      const [session, crumb] = [`s${sessions.size}`, `c${Math.random()}`];
      sessions.set(session, crumb);
      const given = JSON.stringify({ crumb, crumbRequestField: 'Jenkins-Crumb' });
      return { status: 200, body: given, cookie: `JSESSIONID.x=${session}; Path=/; HttpOnly` };
    }
    const job = /^\/job\/([^/]+)\/(.+)$/.exec(pathname);
    const name = decodeURIComponent(job?.[1] ?? '');
    if (request.method === 'POST') {
      const session = /JSESSIONID\.x=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
      const crumb = request.headers['jenkins-crumb'];
      if (manners.wantsCrumb && (crumb === undefined || sessions.get(session) !== crumb)) return { status: 403 };
      if (pathname === '/createItem') return { status: make(searchParams.get('name') ?? '', body) };
      return { status: await change(name, job?.[2] ?? '', searchParams, body) };
    }
    if (pathname === '/api/json')
      return { status: 200, body: JSON.stringify({ jobs: [...jobs.keys()].map((it) => ({ name: it })) }) };
    const builds = jobs.get(name);
    if (builds === undefined) return { status: 404 };
    if (job?.[2] === 'config.xml') return { status: 200, body: readFileSync(config(name), 'utf8') };
    return { status: 200, body: JSON.stringify({ name, builds }) };
  };

  const server = createServer((request, response) => {
    void answer(request)
      .catch((error: unknown) => ({ status: 500, body: String(error), cookie: undefined }))
      .then(({ status, body = '', cookie }) =>
        response.writeHead(status, cookie === undefined ? {} : { 'set-cookie': cookie }).end(body),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    known: () => [...jobs.keys()].sort(),
    builds: (name: string) => (jobs.get(name) ?? []).map((it) => ({ ...it })),
    log: (name: string, number: number) => readFileSync(path.join(folder(name), 'builds', String(number), 'log'), 'utf8'),
    reread,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
