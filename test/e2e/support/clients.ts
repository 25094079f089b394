import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Appliance } from '../appliance.ts';
import type { Visitor } from './access.ts';
import { type CliResult, must, run } from './cli.ts';
import { passwordOf } from './projects.ts';

/** A raw request; `as` logs in with Basic. */
export interface CurlRequest {
  readonly method?: string;
  readonly path: string;
  readonly as?: Visitor;
  /** `user:password` as it stands, in place of `as`. */
  readonly login?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  /** Over plain HTTP at this address instead. */
  readonly base?: string;
}

export interface CurlAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** The host's own clients, with a home of their own, trusting the appliance's authority. */
export class Clients {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'devserver-clients-'));
  readonly #appliance: Appliance;
  #count = 0;

  constructor(appliance: Appliance) {
    this.#appliance = appliance;
    writeFileSync(
      this.#home('gitconfig'),
      `[http]\nsslCAInfo=${appliance.ca}\n[user]\nname=tester\nemail=tester@example.org\n[init]\ndefaultBranch=main\n`,
    );
    writeFileSync(this.#home('hgrc'), `[web]\ncacerts=${appliance.ca}\n[ui]\nusername=tester\n`);
  }

  /** A path nothing lies at yet. */
  fresh(name: string): string {
    this.#count += 1;
    return path.join(this.folder, `${name}-${this.#count}`);
  }

  freshFolder(name: string): string {
    const folder = this.fresh(name);
    mkdirSync(folder);
    return folder;
  }

  url(pathname: string, visitor: Visitor = 'anonymous'): string {
    if (visitor === 'anonymous') return `${this.#appliance.url}${pathname}`;
    return `${this.#appliance.url.replace('://', `://${visitor}:${encodeURIComponent(this.password(visitor))}@`)}${pathname}`;
  }

  password(visitor: Exclude<Visitor, 'anonymous'>): string {
    return visitor === 'admin' ? this.#appliance.adminPassword : passwordOf(visitor);
  }

  svn(visitor: Visitor, ...args: string[]): Promise<CliResult> {
    const trust = ['--config-option', `servers:global:ssl-authority-files=${this.#appliance.ca}`];
    const login = visitor === 'anonymous' ? [] : ['--username', visitor, '--password', this.password(visitor)];
    return this.run('svn', [
      '--non-interactive',
      '--no-auth-cache',
      '--config-dir',
      this.#home('svn'),
      ...trust,
      ...login,
      ...args,
    ]);
  }

  git(...args: string[]): Promise<CliResult> {
    return this.run('git', args);
  }

  hg(...args: string[]): Promise<CliResult> {
    return this.run('hg', args);
  }

  /** A client run in the clients' own home; nothing of the user's is read. */
  run(file: string, args: readonly string[]): Promise<CliResult> {
    return run(file, args, { env: this.environment, cwd: this.folder });
  }

  /** As `run`, but a failure is an error. */
  must(file: string, args: readonly string[]): Promise<string> {
    return must(file, args, { env: this.environment, cwd: this.folder });
  }

  get environment(): Record<string, string> {
    return {
      HOME: this.folder,
      GIT_CONFIG_GLOBAL: this.#home('gitconfig'),
      GIT_CONFIG_SYSTEM: '/dev/null',
      // the variable would win over the setting
      GIT_SSL_CAINFO: this.#appliance.ca,
      GIT_TERMINAL_PROMPT: '0',
      HGRCPATH: this.#home('hgrc'),
      HGPLAIN: '1',
      LC_ALL: 'C.UTF-8',
    };
  }

  /** One request by curl; the path is sent as it stands. */
  async curl({
    method = 'GET',
    path: pathname,
    as = 'anonymous',
    login,
    headers = [],
    body,
    base,
  }: CurlRequest): Promise<CurlAnswer> {
    const user = login ?? (as === 'anonymous' ? undefined : `${as}:${this.password(as)}`);
    const args = [
      ...[
        '--silent',
        '--show-error',
        '--include',
        '--path-as-is',
        '--globoff',
        '--max-time',
        '240',
        '--cacert',
        this.#appliance.ca,
      ],
      ...(method === 'HEAD' ? ['--head'] : ['--request', method]),
      ...(user === undefined ? [] : ['--user', user]),
      // curl announces long bodies and waits; an answer 100 would stand before the real one
      ...['Expect:', ...headers].flatMap((header) => ['--header', header]),
      ...(body === undefined ? [] : ['--data-binary', '@-']),
    ];
    const { exitCode, stdout, stderr } = await run('curl', [...args, `${base ?? this.#appliance.url}${pathname}`], {
      input: body ?? '',
    });
    if (exitCode !== 0) throw new Error(`curl ${method} ${pathname} ended with ${exitCode}: ${stderr}`);
    const end = stdout.search(/\r\n\r\n/);
    return { status: Number(stdout.split(' ')[1]), headers: stdout.slice(0, end), body: stdout.slice(end + 4) };
  }

  async status(request: CurlRequest): Promise<number> {
    return (await this.curl(request)).status;
  }

  /** Removes everything the clients made. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #home(name: string): string {
    return path.join(this.folder, name);
  }
}

/** What a client was told: it went through, it was asked to log in, or it was refused. Anything else as text. */
export function verdict({ exitCode, stdout, stderr }: CliResult): string {
  if (exitCode === 0) return 'yes';
  const said = `${stdout}\n${stderr}`;
  if (/\b403\b|E175013|[Ff]orbidden/.test(said)) return '403';
  if (
    /\b401\b|E215004|E170001|Authentication failed|could not read Username|authorization failed|authorization required/.test(said)
  )
    return '401';
  return `exit ${exitCode}: ${said.trim().slice(-300)}`;
}

/** Does something for each item, at most two at a time: the machines the tests run on have two cores. */
export async function inPairs<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.map((item, index) => ({ item, index }));
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) results[next.index] = await work(next.item);
  };
  await Promise.all([lane(), lane()]);
  return results;
}
