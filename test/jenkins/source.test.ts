import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageContext } from '../../src/image/context.ts';
import { fetchSourceKeys } from '../../src/image/source-keys.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { preferencesText, sourceText } from '../../src/lock/apt-sources.ts';
import type { ExtraSource } from '../../src/plan/plan.ts';
import { makeDeb } from '../support/deb.ts';
import { type FileServer, serveFiles } from '../support/file-server.ts';
import { makeSigningKey, type SigningKey } from '../support/signing-key.ts';
import { planOf } from './plan-of.ts';

const missing = ['gpg', 'apt-ftparchive', 'dpkg-deb', 'apt-get'].filter(
  (program) => spawnSync(program, ['--version']).error !== undefined,
);
const run = promisify(execFile);

/** Jenkins' repository in small: flat, in the folder binary/, signed; its key lies beside it. */
describe.skipIf(missing.length > 0)('a flat package source with a key of its own', () => {
  let dir = '';
  let server: FileServer;
  let key: SigningKey;
  let stranger: SigningKey;
  const context = { system: realSystem() } as ImageContext;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'flat-'));
    [key, stranger] = [makeSigningKey('publisher'), makeSigningKey('stranger')];
    server = await serveFiles(dir);
    for (const name of ['jenkins', 'bash']) makeDeb(path.join(dir, 'binary'), { name, version: '99.1' });
    writeFileSync(path.join(dir, 'binary/Packages'), execFileSync('apt-ftparchive', ['packages', 'binary'], { cwd: dir }));
    writeFileSync(path.join(dir, 'key.asc'), key.armoured);
    writeFileSync(path.join(dir, 'two.asc'), key.armoured + stranger.armoured);
    writeFileSync(path.join(dir, 'binary.gpg'), key.binary);
    sign(key);
  });

  afterAll(async () => {
    await server.close();
    for (const it of [key, stranger]) it.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  function sign(by: SigningKey): void {
    rmSync(path.join(dir, 'binary/InRelease'), { force: true });
    const release = execFileSync(
      'apt-ftparchive',
      ['-o', 'APT::FTPArchive::Release::Origin=test', '-o', 'APT::FTPArchive::Release::Suite=binary', 'release', 'binary'],
      { cwd: dir, encoding: 'utf8' },
    );
    writeFileSync(path.join(dir, 'binary/InRelease'), by.clearsign(release));
  }

  /** The source as the component declares it, but at the test's address. */
  function source(fingerprint: string, keyFile = 'key.asc'): ExtraSource {
    const declared = planOf('debian-13', 'jenkins').plan.layer.extraSources.find(({ name }) => name === 'jenkins');
    if (declared === undefined) throw new Error('no source');
    return { ...declared, url: server.url, key: { url: `${server.url}/${keyFile}`, fingerprint } };
  }

  /** apt with nothing of this machine's own, and the source as the layer's hook writes it. */
  async function apt(args: readonly string[], armoured: string): Promise<string> {
    const own = (name: string, text?: string): string => {
      const target = path.join(dir, 'apt', name);
      mkdirSync(text === undefined ? target : path.dirname(target), { recursive: true });
      if (text !== undefined) writeFileSync(target, text);
      return target;
    };
    own('lists/partial');
    own('cache/archives/partial');
    own('sources/jenkins.sources', sourceText(source(key.fingerprint), armoured));
    own('preferences/jenkins', preferencesText(source(key.fingerprint)));
    const options = {
      'Dir::Etc::sourcelist': '/dev/null',
      'Dir::Etc::sourceparts': own('sources'),
      'Dir::Etc::preferences': '/dev/null',
      'Dir::Etc::preferencesparts': own('preferences'),
      'Dir::State': own('state'),
      'Dir::State::lists': own('lists'),
      'Dir::State::status': own('status', ''),
      'Dir::Cache': own('cache'),
      'APT::Sandbox::User': '',
      'APT::Update::Error-Mode': 'any',
    };
    const { stdout, stderr } = await run(
      '/bin/sh',
      [
        '-c',
        'exec "$@" 2>&1',
        'sh',
        args[0] ?? '',
        ...Object.entries(options).map(([name, value]) => `-o${name}=${value}`),
        ...args.slice(1),
      ],
      { env: { ...process.env, LC_ALL: 'C.UTF-8' } },
    ).catch((error: { stdout: string; stderr: string }) => error);
    return stdout + stderr;
  }

  it('is accepted with the pinned key, and apt takes the pinned name alone from it', async () => {
    const keys = await fetchSourceKeys([source(key.fingerprint)], context);
    const armoured = keys.get('jenkins') ?? '';
    expect(await apt(['apt-get', 'update'], armoured)).not.toMatch(/^[EW]:/m);
    expect(await apt(['apt-cache', 'policy', 'jenkins'], armoured)).toMatch(/Candidate: 99\.1\n[\s\S]* 600\n/);
    expect(await apt(['apt-cache', 'policy', 'bash'], armoured)).toMatch(/Candidate: \(none\)\n/);
  });

  it('is refused with another fingerprint, naming both', async () => {
    await expect(fetchSourceKeys([source(stranger.fingerprint)], context)).rejects.toMatchObject({
      message: 'the key of the package source jenkins is not the pinned one alone',
      details: [`pinned ${stranger.fingerprint}`, `found  ${key.fingerprint}`, `at     ${server.url}/key.asc`],
    });
  });

  it('is refused when a second key comes along with the pinned one', async () => {
    await expect(fetchSourceKeys([source(key.fingerprint, 'two.asc')], context)).rejects.toThrow('not the pinned one alone');
  });

  it('is refused when the key is no text', async () => {
    await expect(fetchSourceKeys([source(key.fingerprint, 'binary.gpg')], context)).rejects.toThrow(
      'not an armoured OpenPGP key',
    );
  });

  it('is refused by apt when somebody else signed it', async () => {
    sign(stranger);
    expect(await apt(['apt-get', 'update'], key.armoured)).toMatch(/NO_PUBKEY|not signed|Missing key/);
  });
});
