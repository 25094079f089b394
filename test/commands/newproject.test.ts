import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RemoteOptions, runNewProject, type Surroundings } from '../../src/commands/newproject.ts';
import { UserError } from '../../src/kernel/errors.ts';
import type { Question } from '../../src/kernel/question.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { checkout, cli } from '../e2e/support/cli.ts';
import { type ApiServer, beginJob, goodLogin, job, openApiServer, page, refuse, step } from '../support/api-server.ts';
import { cliInside } from '../support/cli-inside.ts';
import { openTerminal } from '../support/terminal.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'newproject-'));
const passwordFile = path.join(folder, 'password');
const [user = '', password = ''] = /^([^:]*):(.*)$/.exec(goodLogin)?.slice(1) ?? [];
let server: ApiServer;

beforeAll(async () => {
  writeFileSync(passwordFile, `${password}\n`);
  server = await openApiServer();
});
beforeEach(() => server.answerWith());
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const nobody: Surroundings = {
  env: {},
  terminal: false,
  ask: async ({ message }) => {
    throw new Error(`nobody is there to be asked: ${message}`);
  },
};

interface Run {
  readonly error: UserError | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command with login and authority that are right, unless told otherwise. */
function run(
  name: string | undefined,
  options: RemoteOptions = {},
  around: Surroundings = nobody,
  signal = new AbortController().signal,
): Promise<Run> {
  return runAsGiven(name, { server: server.url, user, passwordFile, ca: server.ca, ...options }, around, signal);
}

/** Runs the command with these flags alone. */
async function runAsGiven(
  name: string | undefined,
  options: RemoteOptions,
  around: Surroundings = nobody,
  signal = new AbortController().signal,
): Promise<Run> {
  const out = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((part) => {
      out[stream] += String(part);
      return true;
    }),
  );
  try {
    await runNewProject(name, options, { signal }, around);
    return { error: undefined, ...out };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { error, ...out };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

async function failure(...args: Parameters<typeof run>): Promise<UserError> {
  const { error, stdout } = await run(...args);
  if (error === undefined) throw new Error(`it succeeded: ${stdout}`);
  return error;
}

describe('newproject from outside', () => {
  it('sends what the flags say, shows each step, and ends with every address', async () => {
    const { error, stdout, stderr } = await run('shop', {
      ...{ vcs: 'git', title: 'Läden', member: ['bob', 'rob:reader'], visibility: 'internal', ci: false, protect: false },
    });
    expect(error).toBeUndefined();
    expect(server.got.map(({ method, url, login }) => `${method} ${url} ${login}`)).toEqual([`POST /api/projects ${goodLogin}`]);
    expect(JSON.parse(server.got[0]?.body ?? '')).toEqual({
      ...{ name: 'shop', vcs: 'git', title: 'Läden', visibility: 'internal', ci: false, protectBranch: false },
      members: { bob: 'developer', rob: 'reader' },
    });
    expect(stderr).toBe('[1/2] make git.repository  0.1 s\n[2/2] apply trac.environment  0.1 s\n');
    expect(stdout).toMatch(/^shop is ready, after \d+\.\d s\n/);
    for (const part of ['/git/shop.git', '/trac/shop', '/hudson/job/shop', '/archiva/repository/shop'])
      expect(stdout).toContain(`https://dev.example.org${part}`);
    for (const part of ['  git clone https://', '<distributionManagement>', '<server><id>shop</id>'])
      expect(stdout).toContain(part);
  });

  it('shows what it would do with --dry-run, and streams JSON lines with --json', async () => {
    expect((await run('shop', { dryRun: true })).stdout).toBe('would make git.repository\nwould apply trac.environment\n');
    const lines = (await run('shop', { json: true })).stdout.trim().split('\n');
    const values = lines.map((line) => JSON.parse(line) as { type: string; job?: string });
    expect(values.map(({ type }) => type)).toEqual(['job', 'step', 'step', 'step', 'step', 'result']);
    expect(values.at(-1)).toMatchObject({ job, seconds: expect.any(Number), project: { name: 'shop' } });
  });

  it('takes a project from a file, flags before it', async () => {
    const file = path.join(folder, 'project.yaml');
    writeFileSync(file, 'name: shop\ntitle: From the file\nmembers: {bob: reader}\n');
    await run(undefined, { file, title: 'From the flag' });
    expect(JSON.parse(server.got[0]?.body ?? '')).toEqual({
      ...{ name: 'shop', title: 'From the flag', members: { bob: 'reader' } },
    });
  });

  it('takes the password from the environment and the login from who is there', async () => {
    const env = { DEVSERVER_PASSWORD: password, USER: user };
    const { error } = await runAsGiven('shop', { server: server.url, ca: server.ca, dryRun: true }, { ...nobody, env });
    expect(error).toBeUndefined();
    expect(server.got.map(({ login }) => login)).toEqual([goodLogin]);
  });
});

describe('called bare', () => {
  const bare = (around: Surroundings, options: RemoteOptions = {}) =>
    runAsGiven(undefined, { ca: server.ca, ...options }, around);

  it('it asks at a terminal: server, password, and what the command inside asks', async () => {
    const asked: Question[] = [];
    const answers: Record<string, string> = {
      server: server.url,
      password,
      name: 'shop',
      title: 'Shop',
      members: 'bob, rob:reader',
    };
    const ask: Surroundings['ask'] = async (question) => {
      asked.push(question);
      return answers[question.id] ?? question.default;
    };
    expect((await bare({ env: { USER: user }, terminal: true, ask })).error).toBeUndefined();
    expect(asked.map(({ id }) => id)).toEqual([
      ...['server', 'password', 'name', 'title', 'vcs', 'template', 'visibility', 'members', 'maven', 'ci'],
    ]);
    expect(asked[1]).toMatchObject({ kind: 'secret', message: 'Password of ann' });
    expect(asked[5]?.choices).toEqual([{ value: 'empty', label: 'Empty' }]);
    expect(JSON.parse(server.got.at(-1)?.body ?? '')).toEqual({
      ...{ name: 'shop', title: 'Shop', vcs: 'git', template: 'empty', visibility: 'private', maven: true, ci: true },
      members: { bob: 'developer', rob: 'reader' },
    });
  });

  it('keeps the members of the flags, and asks for the rest', async () => {
    const asked: string[] = [];
    const answers: Record<string, string> = { name: 'shop', title: 'Shop' };
    const ask: Surroundings['ask'] = async ({ id, default: usual }) => {
      asked.push(id);
      return answers[id] ?? usual;
    };
    await run(undefined, { member: ['bob'] }, { env: {}, terminal: true, ask });
    expect(asked).not.toContain('members');
    expect(JSON.parse(server.got.at(-1)?.body ?? '')).toMatchObject({ members: { bob: 'developer' } });
  });

  it('without a terminal, or with --yes, it names everything that is missing', async () => {
    expect((await bare({ ...nobody, env: { USER: 'x' } })).error).toMatchObject({
      message: 'nobody is there to ask for NAME, --server, --user, --password-file',
      hint: expect.stringContaining('DEVSERVER_PASSWORD'),
      exitCode: 2,
    });
    const env = { USER: user, DEVSERVER_PASSWORD: password };
    expect((await bare({ env, terminal: true, ask: nobody.ask }, { yes: true })).error).toMatchObject({
      message: 'nobody is there to ask for NAME, --server',
      exitCode: 2,
    });
  });
});

describe('what is wrong with the flags is told before anything is sent', () => {
  it.each([
    [{ server: 'http://127.0.0.1' }, /--server http:\/\/127\.0\.0\.1: .*over HTTPS only/, 2],
    [{ server: 'ftp://x' }, /must be an address such as https/, 2],
    [{ server: 'https://x:99999' }, /must be an address such as https/, 2],
    [{ server: 'https://x/path' }, /must be an address such as https/, 2],
    [{ user: 'Ann:x' }, /--user Ann:x: a name has/, 2],
    [{ passwordFile: '/no/such/file' }, /--password-file \/no\/such\/file can't be read/, 2],
    [{ passwordFile: '/dev/null' }, /--password-file \/dev\/null is not a file/, 2],
    [{ ca: '/no/such/file' }, /--ca \/no\/such\/file can't be read/, 2],
    [{ ca: passwordFile }, /holds no certificate in PEM form/, 3],
    [{ member: ['bob:king'] }, /--member bob:king is not understood/, 2],
    [{ file: '/no/such/file' }, /there is no file/, 2],
  ] as const)('%j', async (options, message, exitCode) => {
    const error = await failure('shop', options as RemoteOptions);
    expect([error.message, error.exitCode]).toEqual([expect.stringMatching(message), exitCode]);
    expect(server.got).toEqual([]);
  });

  it('a login in the address is refused, and not repeated', async () => {
    const error = await failure('shop', { server: 'https://ann:geheim@127.0.0.1' });
    expect([error.message, error.exitCode]).toEqual([expect.stringContaining('without a login in it'), 2]);
    expect(error.message).not.toContain('geheim');
  });
});

describe('a certificate', () => {
  it('of an authority nobody trusts is refused before anything is sent, with the way to trust it', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const { error } = await runAsGiven('shop', { server: server.url, user, passwordFile });
    vi.unstubAllEnvs();
    expect([error?.message, error?.exitCode]).toEqual([expect.stringContaining('is not trusted, nothing was sent'), 4]);
    const told = [...(error?.details ?? []), error?.hint].join('\n');
    expect(told).toContain(`curl --insecure -o ca.crt ${server.url}/ca.crt`);
    expect(told).toContain('openssl x509 -noout -fingerprint -sha256 -in ca.crt');
    expect(told).toContain('--ca ca.crt');
    expect(server.got).toEqual([]);
  });

  it('of another authority than --ca says, with another name, or past its time, is refused', async () => {
    const other = await openApiServer({ names: ['dev.example.org'] });
    const over = await openApiServer({ days: 0 });
    try {
      const wrongAuthority = await failure('shop', { ca: other.ca });
      expect([wrongAuthority.message, wrongAuthority.exitCode]).toEqual([expect.stringContaining('is not trusted'), 4]);
      expect(wrongAuthority.hint).toContain(`${other.ca} is not the certificate of its authority`);
      const wrongName = await failure('shop', { server: other.url, ca: other.ca });
      expect([wrongName.hint, wrongName.exitCode]).toEqual(['use an address that stands in the certificate', 4]);
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const expired = await failure('shop', { server: over.url, ca: over.ca });
      expect([expired.hint, expired.exitCode]).toEqual([expect.stringContaining('clock of this computer'), 4]);
      expect([...server.got, ...other.got, ...over.got]).toEqual([]);
    } finally {
      await Promise.all([other.close(), over.close()]);
    }
  });
});

describe('a refusal', () => {
  it('of the login is told as that', async () => {
    writeFileSync(path.join(folder, 'wrong'), 'wrong');
    const error = await failure('shop', { passwordFile: path.join(folder, 'wrong') });
    expect([error.message, error.exitCode]).toEqual(['the login is not right: ann, with the password that was given', 2]);
    expect(error.hint).toContain('--user');
  });

  it.each([
    [403, 'only members of the group creators may make projects', 'ask an administrator', 5, []],
    [400, 'this can not be done as it was asked for', undefined, 3, ['name: a name has 3 to 32 characters', 'vcs: no cvs']],
    [422, 'this can not be done as it was asked for', undefined, 3, ['members.bob: Invalid option']],
    [409, 'there is already a project shop', 'choose another name', 2, []],
    [429, 'too many requests', 'wait a minute', 7, []],
    [500, 'something went wrong that is our fault', 'journalctl -u devserverd', 1, []],
  ])('with %i: %s', async (status, message, hint, exitCode, details) => {
    server.answerWith((_request, response) => refuse(response, status, { message, hint, details, exitCode }));
    for (const dryRun of [false, true])
      expect(await failure('shop', { dryRun })).toMatchObject({ message, hint, details, exitCode });
  });

  it('at the end of a stream keeps its exit code, and what was taken back was shown', async () => {
    server.answerWith((_request, response) => {
      beginJob(response);
      for (const state of ['undoing', 'undone']) step(response, 0, 'make', 'git.repository', state);
      const error = { message: 'trac.environment: no space', details: ['git.repository'], hint: 'x', exitCode: 6 };
      response.end(`${JSON.stringify({ type: 'error', error })}\n`);
    });
    const { error, stderr, stdout } = await run('shop');
    expect(error).toMatchObject({ message: 'trac.environment: no space', details: ['git.repository'], exitCode: 6 });
    expect(stderr.split('\n').at(-2)).toBe('[1/2] take back: make git.repository  0.1 s');
    expect(stdout).toBe('');
  });

  it.each([
    [404, 5, 'not as the API does'],
    [200, 5, 'not as the API does'],
    [503, 5, 'its daemon does not answer'],
    // it had taken the request: what it made of it nobody knows
    [502, 6, 'the connection broke'],
  ])('by a page with status %i ends with %i', async (status, exitCode, message) => {
    server.answerWith((_request, response) => page(response, status, 'x'));
    const error = await failure('shop');
    expect([error.exitCode, error.message]).toEqual([exitCode, expect.stringContaining(message)]);
  });
});

describe('a connection that breaks', () => {
  const look = `curl --cacert CA -u ann URL/api`;
  const hint = (path: string) => `how it went: ${look.replace('CA', server.ca).replace('URL', server.url)}${path}`;

  it.each([
    ['between two lines', ''],
    ['in the middle of a line', '{"type":"st'],
  ])('in the middle of the stream, %s, names the job and how to look at it', async (_where, part) => {
    server.answerWith((_request, response) => {
      beginJob(response);
      response.write(part, () => setTimeout(() => response.socket?.destroy(), 50));
    });
    const { error, stderr } = await run('shop');
    expect(error).toMatchObject({
      message: expect.stringContaining('the connection broke'),
      hint: hint(`/jobs/${job}`),
      exitCode: 6,
    });
    expect(stderr).toContain('make git.repository');
  });

  it('that ends the stream in good form without a result is the same', async () => {
    server.answerWith((_request, response) => {
      beginJob(response);
      response.end();
    });
    expect(await failure('shop')).toMatchObject({ hint: hint(`/jobs/${job}`), exitCode: 6 });
  });

  it('before the first word leaves open whether it was begun', async () => {
    server.answerWith((_request, response) => void response.socket?.destroy());
    expect(await failure('shop')).toMatchObject({ hint: hint('/projects'), exitCode: 6 });
    // a plan changes nothing
    expect(await failure('shop', { dryRun: true })).toMatchObject({ exitCode: 4 });
  });

  it('or is not there at all: the server is gone, or speaks no TLS', async () => {
    const free = await openApiServer();
    await free.close();
    for (const host of ['127.0.0.1', 'localhost'])
      expect(await failure('shop', { server: `https://${host}:${free.port}` })).toMatchObject({
        message: expect.stringMatching(/can't be reached: .*ECONNREFUSED/),
        exitCode: 4,
      });
    const plain = net.createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as AddressInfo;
    const error = await failure('shop', { server: `https://127.0.0.1:${port}` });
    plain.close();
    expect([error.message, error.exitCode]).toEqual([expect.stringContaining("can't be reached"), 4]);
  });
});

describe('Ctrl-C', () => {
  it('before anything is sent does nothing', async () => {
    const error = await failure('shop', {}, nobody, AbortSignal.abort());
    expect([error.message, error.exitCode]).toEqual(['interrupted; nothing was done', 130]);
    expect(server.got).toEqual([]);
  });

  it('before the first word leaves open whether it was begun', async () => {
    const abort = new AbortController();
    server.answerWith(() => abort.abort());
    const error = await failure('shop', {}, nobody, abort.signal);
    expect([error.message, error.exitCode]).toEqual(['interrupted; the server may have begun', 130]);
    expect(error.hint).toContain('/api/projects');
  });

  it('ends the waiting of the process, which says that the job goes on', async () => {
    server.answerWith((_request, response) => beginJob(response));
    // bundled by the first
    await cli(['--help']);
    const args = ['build/cli.mjs', 'newproject', 'shop', '--server', server.url, '--user', user, '--ca', server.ca];
    const child = spawn(process.execPath, args, { cwd: checkout, env: { ...process.env, DEVSERVER_PASSWORD: password } });
    let stderr = '';
    child.stderr.on('data', (part: Buffer) => {
      if (stderr === '') child.kill('SIGINT');
      stderr += part.toString('utf8');
    });
    const exitCode = await new Promise((resolve) => child.on('close', resolve));
    expect(exitCode).toBe(130);
    expect(stderr.trim().split('\n').slice(-2)).toEqual([
      `create-devserver: interrupted; the job ${job} goes on`,
      `how it went: curl --cacert ${server.ca} -u ann ${server.url}/api/jobs/${job}`,
    ]);
  });
});

describe('as a process', () => {
  it('ends with the exit codes of the table, and errors as JSON', async () => {
    const common = ['--server', server.url, '--user', user, '--ca', server.ca];
    const env = { DEVSERVER_PASSWORD: password };
    expect(await cli(['newproject', 'shop', ...common], { env })).toMatchObject({ exitCode: 0 });
    server.answerWith((_request, response) => refuse(response, 429, { message: 'too many requests', exitCode: 7 }));
    vi.stubEnv('DEVSERVER_PASSWORD', password);
    const busy = await cliInside(['newproject', 'shop', ...common, '--json']);
    expect([busy.exitCode, JSON.parse(busy.stdout)]).toEqual([
      7,
      { type: 'error', message: 'too many requests', details: [], exitCode: 7 },
    ]);
    vi.stubEnv('DEVSERVER_PASSWORD', '');
    const bare = await cliInside(['newproject']);
    vi.unstubAllEnvs();
    expect([bare.exitCode, bare.stderr]).toEqual([
      2,
      expect.stringMatching(/nobody is there to ask for NAME, --server.*--password-file/),
    ]);
    const unknown = await cliInside(['newproject', 'shop', '--password', 'x']);
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining('--password: unknown flag')]);
    // the password may also come in a pipe
    server.answerWith();
    const piped = await cli(['newproject', 'shop', ...common, '--password-file', '-', '--dry-run'], { input: `${password}\n` });
    expect(piped).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('would make git.repository') });
  });

  describe.skipIf(realSystem().which('tmux') === undefined)('at a terminal (needs tmux)', () => {
    let terminal: ReturnType<typeof openTerminal> | undefined;
    afterEach(() => terminal?.close());

    it('asks for the password without showing it', async () => {
      const args = `newproject shop --server ${server.url} --user ${user} --ca ${server.ca} --dry-run`;
      terminal = openTerminal(`env -u DEVSERVER_PASSWORD ${process.execPath} ${checkout}/start.mjs run ${args}; echo "code $?"`);
      await terminal.until('Password of ann');
      await terminal.type('w', 'r', 'o', 'n', 'g', 'Enter');
      const screen = await terminal.until('code 2');
      expect(screen).toContain('the login is not right: ann');
      expect(screen).not.toContain('wrong');
      expect(server.got.map(({ login }) => login)).toEqual([`${user}:wrong`]);
    });
  });
});
