import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { layOutApps } from './support/apps.ts';
import { run } from './support/cli.ts';
import { Clients, verdict } from './support/clients.ts';
import { mavenDeploy } from './support/maven.ts';
import { projects } from './support/projects.ts';
import { openSession } from './support/session.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);

describe('the certificate of the appliance', () => {
  beforeAll(async () => {
    const session = openSession(appliance.dir);
    await layOutApps(
      session,
      projects.filter(({ name }) => name === 'shop'),
    );
    await session.close();
  });
  afterAll(() => clients.remove());

  it('is accepted by curl, git, svn and hg that trust its authority, at the printed address', async () => {
    expect(await clients.status({ path: '/', as: 'dev' })).toBe(200);
    const results = [
      await clients.git('ls-remote', clients.url('/git/shop.git', 'dev')),
      await clients.svn('dev', 'info', clients.url('/svn/shop')),
      await clients.hg('identify', clients.url('/hg/shop', 'dev')),
    ];
    expect(results.map(verdict)).toEqual(['yes', 'yes', 'yes']);
  });

  it('is accepted by Maven with a trust store that holds its authority', async () => {
    const deploy = await mavenDeploy(appliance, clients);
    const { exitCode, stdout } = await deploy('dev', 'shop', `trust-${Date.now().toString(36)}`, '1.0-SNAPSHOT', 'x');
    expect({ exitCode, stdout: exitCode === 0 ? '' : stdout }).toEqual({ exitCode: 0, stdout: '' });
  });

  it('is refused by each of them when they trust another authority', async () => {
    const { key, crt } = { key: path.join(clients.folder, 'other.key'), crt: path.join(clients.folder, 'other.crt') };
    await clients.must('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=other',
      '-keyout',
      key,
      '-out',
      crt,
    ]);
    const others = new Clients({ ...appliance, ca: crt });
    const results = [
      await run('curl', ['--silent', '--show-error', '--cacert', crt, others.url('/ca.crt')]),
      await others.git('ls-remote', others.url('/git/shop.git', 'dev')),
      await others.svn('dev', 'info', others.url('/svn/shop')),
      await others.hg('identify', others.url('/hg/shop', 'dev')),
    ];
    others.remove();
    for (const { exitCode, stderr } of results)
      expect({ exitCode, told: /certificate|SSL|E230001/i.test(stderr) }).toEqual({
        exitCode: expect.toSatisfy((code) => code !== 0),
        told: true,
      });
  });

  it('names the host, is for servers only, and its authority can sign no further authority', async () => {
    const { hostname, port } = new URL(appliance.url);
    const shown = await run('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-servername',
      'localhost',
      '-CAfile',
      appliance.ca,
      '-showcerts',
    ]);
    expect(shown.stdout).toContain('Verify return code: 0 (ok)');
    const text = (await run('openssl', ['x509', '-noout', '-text'], { input: shown.stdout })).stdout;
    expect(text).toMatch(new RegExp(`DNS:${hostname.replaceAll('.', '\\.')}`));
    expect(text).toContain('TLS Web Server Authentication');
    expect(text).toContain('CA:FALSE');
    writeFileSync(path.join(clients.folder, 'shown.pem'), shown.stdout);
    expect((await run('openssl', ['x509', '-noout', '-text', '-in', appliance.ca])).stdout).toMatch(/CA:TRUE, pathlen:0/);
  });

  it.each(['tls1', 'tls1_1'])('is offered over no old protocol: %s', async (version) => {
    const { port } = new URL(appliance.url);
    // seclevel 0: else this machine's own client would refuse before the server could
    const { exitCode } = await run('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      `-${version}`,
      '-cipher',
      'DEFAULT@SECLEVEL=0',
    ]);
    expect(exitCode).not.toBe(0);
    for (const good of ['tls1_2', 'tls1_3'])
      expect((await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, `-${good}`])).exitCode).toBe(0);
  });
});
