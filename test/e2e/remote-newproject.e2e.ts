import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type CliResult, checkout, cli, run } from './support/cli.ts';
import { Clients, verdict } from './support/clients.ts';
import { type Person, passwordOf } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);
const names = ['rn-shop', 'rn-left', 'rn-dev'] as const;
let session: Session;

interface Line {
  readonly type: string;
  readonly job?: string;
  readonly state?: string;
  readonly seconds?: number;
  readonly message?: string;
  readonly details?: readonly string[];
  readonly exitCode?: number;
  readonly project?: { readonly links: Readonly<Record<string, Readonly<Record<string, string>>>> };
}

const wordsFor = (name: string, as: Person, ...more: string[]): string[] => [
  ...['newproject', name, '--server', appliance.url, '--user', as],
  ...more,
];
const passwordFor = (as: Person) => ({ DEVSERVER_PASSWORD: as === 'admin' ? appliance.adminPassword : passwordOf(as) });

/** The command on this computer, as a person without a terminal, trusting the appliance's authority. */
function remote(name: string, as: Person, ...more: string[]): Promise<CliResult> {
  return cli(wordsFor(name, as, '--ca', appliance.ca, ...more), { env: passwordFor(as) });
}

const linesOf = ({ stdout }: CliResult): Line[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

async function removeProjects(): Promise<void> {
  for (const name of names) await session.tryRun(['devserver', 'project', 'delete', name, '--yes']);
}

beforeAll(async () => {
  session = openSession(appliance.dir);
  await session.run(['devserver', 'user', 'set', 'ann', '--creator']);
  await session.run(['devserver', 'user', 'set', 'dev', '--no-creator']);
  // of an earlier run, where the appliance is a borrowed one
  await removeProjects();
});
afterAll(async () => {
  await removeProjects();
  await session.close();
  clients.remove();
});

describe('newproject on another computer', () => {
  it('makes a project as a creator, who clones it; its members do too', async () => {
    const made = await remote('rn-shop', 'ann', '--vcs', 'git', '--title', 'Läden & <Co>', '--member', 'dev', '--json');
    expect(made.exitCode, made.stderr + made.stdout).toBe(0);
    const lines = linesOf(made);
    expect(lines.filter(({ type, state }) => type === 'step' && state === 'done').length).toBeGreaterThan(5);
    const last = lines.at(-1);
    expect(last).toMatchObject({ type: 'result', job: lines[0]?.job, seconds: expect.any(Number) });
    expect(last?.project?.links).toMatchObject({
      vcs: { url: `${appliance.url}/git/rn-shop.git`, clone: expect.stringContaining('git clone') },
      tracker: { url: `${appliance.url}/trac/rn-shop` },
      ci: { url: expect.stringContaining('rn-shop') },
      maven: { url: expect.stringContaining('rn-shop') },
    });
    for (const as of ['ann', 'dev'] as const) {
      const folder = clients.fresh('rn-shop');
      await clients.must('git', ['clone', '-q', clients.url('/git/rn-shop.git', as), folder]);
      expect(existsSync(path.join(folder, 'README.md'))).toBe(true);
    }
    expect(verdict(await clients.git('ls-remote', clients.url('/git/rn-shop.git', 'out')))).toBe('403');
  });

  it('tells the same to people, and refuses the name a second time', async () => {
    const plan = await remote('rn-left', 'ann', '--dry-run');
    expect([plan.exitCode, plan.stdout]).toEqual([0, expect.stringContaining('would make git.repository')]);
    const again = await remote('rn-shop', 'ann');
    expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('there is already a project rn-shop')]);
    const reserved = await remote('admins', 'ann', '--member', 'nosuch', '--json');
    expect(reserved.exitCode).toBe(3);
    expect(linesOf(reserved).at(-1)?.details?.join('\n')).toMatch(/reserved[\s\S]*nosuch/);
  });

  it('refuses who is no creator, and leaves nothing', async () => {
    const refused = await remote('rn-dev', 'dev');
    expect([refused.exitCode, refused.stderr]).toEqual([5, expect.stringContaining('only members of the group creators')]);
    expect((await session.tryRun(['devserver', 'project', 'show', 'rn-dev'])).exitCode).toBe(2);
  });

  it('refuses a wrong password', async () => {
    const wrong = await cli(wordsFor('rn-dev', 'ann', '--ca', appliance.ca), { env: { DEVSERVER_PASSWORD: 'wrong' } });
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('the login is not right: ann')]);
  });

  it('trusts nobody unasked, and the way it tells leads to trust', async () => {
    const distrust = await cli(wordsFor('rn-dev', 'ann'), { env: passwordFor('ann') });
    expect([distrust.exitCode, distrust.stderr]).toEqual([4, expect.stringContaining('is not trusted, nothing was sent')]);
    const ca = clients.fresh('ca.crt');
    expect(distrust.stderr).toContain(`curl --insecure -o ca.crt ${appliance.url}/ca.crt`);
    await clients.must('curl', ['--silent', '--fail', '--insecure', '-o', ca, `${appliance.url}/ca.crt`]);
    const fingerprint = 'openssl x509 -noout -fingerprint -sha256 -in';
    expect(distrust.stderr).toContain(`${fingerprint} /srv/system/secrets/*/ca.crt`);
    const here = await run('openssl', [...fingerprint.split(' ').slice(1), ca]);
    const there = await session.run(['sh', '-c', `${fingerprint} /srv/system/secrets/*/ca.crt`]);
    // versions of openssl differ in how they spell what stands before it
    const [mine, its] = [here.stdout, there].map((said) => said.trim().split('=').at(-1));
    expect([here.exitCode, mine]).toEqual([0, its]);
    expect(mine).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const plan = await cli(wordsFor('rn-left', 'ann', '--ca', ca, '--dry-run'), { env: passwordFor('ann') });
    expect(plan.exitCode, plan.stderr).toBe(0);
  });

  it('ends its waiting at Ctrl-C; the job goes on and can be looked at', async () => {
    const args = [path.join(checkout, 'start.mjs'), 'run', ...wordsFor('rn-left', 'ann', '--ca', appliance.ca, '--json')];
    const child = spawn(process.execPath, args, { cwd: checkout, env: { ...process.env, ...passwordFor('ann') } });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (part: Buffer) => {
      // its first line names the job
      if (said.stdout === '') child.kill('SIGINT');
      said.stdout += part.toString('utf8');
    });
    child.stderr.on('data', (part: Buffer) => {
      said.stderr += part.toString('utf8');
    });
    const exitCode = await new Promise((resolve) => child.on('close', resolve));
    expect(exitCode, said.stderr + said.stdout).toBe(130);
    const job = /the job ([a-z0-9-]+) goes on/.exec(said.stderr)?.[1] ?? '';
    expect(said.stderr).toContain(`${appliance.url}/api/jobs/${job}`);
    for (let state = 'running'; state !== 'done'; ) {
      expect(state).toBe('running');
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { status, body } = await clients.curl({ path: `/api/jobs/${job}`, as: 'ann' });
      expect(status, body).toBe(200);
      state = (JSON.parse(body) as { state: string }).state;
    }
    expect(verdict(await clients.git('ls-remote', clients.url('/git/rn-left.git', 'ann')))).toBe('yes');
  });
});
