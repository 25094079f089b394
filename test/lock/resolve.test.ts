import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCache } from '../../src/image/cache.ts';
import type { ImageContext } from '../../src/image/context.ts';
import { fetchDebs } from '../../src/image/debs.ts';
import { writeLocalArchive } from '../../src/image/local-archive.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { type AptArchives, withApt } from '../../src/lock/apt.ts';
import type { Lock, LockedPackage } from '../../src/lock/lock-file.ts';
import { type ArchiveFixture, makeArchive, signArchive } from '../support/archive.ts';
import { makeDeb } from '../support/deb.ts';
import { type FileServer, serveFiles } from '../support/file-server.ts';
import { emptyLock } from '../support/locks.ts';
import { makeSigningKey, type SigningKey } from '../support/signing-key.ts';

const system = realSystem();
const tools = ['apt-get', 'apt-ftparchive', 'dpkg-deb', 'gpg'].every((name) => system.which(name) !== undefined);
const dir = mkdtempSync(path.join(tmpdir(), 'resolve-'));
const at = (...names: string[]): string => path.join(dir, ...names);
let server: FileServer;
let key: SigningKey;

const main: ArchiveFixture = { origin: 'Test', suite: 'one', components: { main: at('debs') } };
const security: ArchiveFixture = { origin: 'Test', suite: 'one-security', components: { main: at('security') } };
const archives = (): AptArchives => ({
  sources: {
    ...{ suite: 'one', architecture: 'amd64', packageComponents: ['main'], extraSources: [], packages: [] },
    keyring: { file: at('test.gpg'), package: 'k' },
  },
  own: [
    { url: `${server.url}/debian`, suite: 'one' },
    { url: `${server.url}/debian-security`, suite: 'one-security' },
  ],
  keys: new Map(),
  folder: dir,
});
const lockOf = (packages: readonly LockedPackage[]): Lock => ({
  ...emptyLock,
  archives: { main: `${server.url}/debian`, 'one-security': `${server.url}/debian-security` },
  packages: [...packages],
});
const context = (): ImageContext => ({ dir, cache: at('cache'), system, report: () => {}, mirrors: {} });

function publish(): void {
  for (const [folder, fixture] of [
    ['debian', main],
    ['debian-security', security],
  ] as const) {
    rmSync(at('web', folder), { recursive: true, force: true });
    makeArchive(at('web', folder), fixture);
    signArchive(at('web', folder), fixture, key);
  }
}

describe.skipIf(!tools)('packages of a small signed archive', () => {
  beforeAll(async () => {
    key = makeSigningKey('resolve');
    writeFileSync(at('test.gpg'), key.binary);
    mkdirSync(at('security'));
    makeDeb(at('debs'), { name: 'app', version: '1:2.0~rc1+b1', depends: 'lib' });
    makeDeb(at('debs'), { name: 'lib' });
    makeDeb(at('debs'), { name: 'other' });
    server = await serveFiles(at('web'));
    publish();
  });
  afterAll(async () => {
    await server.close();
    key.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  const resolve = (...names: string[]): Promise<LockedPackage[]> => withApt(archives(), system, (apt) => apt.resolve(names));

  it('are found by apt with what they need, and fetched by their digests', async () => {
    const found = await resolve('app');
    expect(found.map(({ name, version, from }) => [name, version, from])).toEqual([
      ['app', '1:2.0~rc1+b1', 'main'],
      ['lib', '1.0', 'main'],
    ]);
    const cache = await openCache(at('cache'));
    const asked = server.asked.length;
    const debs = await fetchDebs({ lock: lockOf(found), packages: found, stage: 's' }, cache, context());
    expect(server.asked.length).toBe(asked + 2);
    await fetchDebs({ lock: lockOf(found), packages: found, stage: 's' }, cache, context());
    expect(server.asked.length, 'the second time from the cache').toBe(asked + 2);
    expect(debs.map(({ control }) => control.split('\n')[0])).toEqual(['Package: app', 'Package: lib']);
    // an archive of these alone, which apt takes for the suite
    const line = await writeLocalArchive(at('lo cal'), debs, { suite: 'one', architecture: 'amd64' });
    expect(line).toBe(`deb [trusted=yes] copy:${at('lo%20cal')} one main`);
    expect(readFileSync(at('lo cal/dists/one/main/binary-amd64/Packages'), 'utf8')).toContain(
      'Filename: pool/app_1%3a2.0~rc1+b1_all.deb\n',
    );
    for (const folder of ['etc/apt', 'lists/partial', 'archives/partial']) mkdirSync(at('apt', folder), { recursive: true });
    writeFileSync(at('apt/status'), '');
    writeFileSync(at('apt/etc/apt/sources.list'), `${line}\n`);
    const options = Object.entries({
      'Dir::Etc': at('apt/etc/apt'),
      'Dir::State::Lists': at('apt/lists'),
      'Dir::State::status': at('apt/status'),
      'Dir::Cache': at('apt'),
      'APT::Sandbox::User': 'root',
      'APT::Architecture': 'amd64',
      'APT::Architectures': 'amd64',
    }).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    await system.run({ file: 'apt-get', args: [...options, '--error-on=any', 'update'] });
    const { stdout } = await system.run({ file: 'apt-get', args: [...options, '--print-uris', '--yes', 'install', 'app'] });
    expect(stdout).toContain(`copy:${at('lo cal')}/pool/app_1%253a2.0%7erc1%2bb1_all.deb`);
    expect(stdout).not.toContain('other');
  });

  it('that nobody has are named', async () => {
    expect(await withApt(archives(), system, ({ missing }) => missing(['app', 'none', 'lib']))).toEqual(['none']);
  });

  it('that are newer for security come from there, and are told as that', async () => {
    makeDeb(at('security'), { name: 'lib', version: '1.0.1' });
    publish();
    const { found, versions } = await withApt(archives(), system, async (apt) => ({
      found: await apt.resolve(['app']),
      versions: await apt.versionsOf(['lib', 'app']),
    }));
    expect(found.map(({ name, version, from }) => [name, version, from])).toEqual([
      ['app', '1:2.0~rc1+b1', 'main'],
      ['lib', '1.0.1', 'one-security'],
    ]);
    expect(versions.get('lib')).toEqual([
      { version: '1.0.1', suite: 'one-security' },
      { version: '1.0', suite: 'one' },
    ]);
    expect(versions.get('app')).toEqual([{ version: '1:2.0~rc1+b1', suite: 'one' }]);
  });

  it('that are gone are looked for in the snapshot, and else named, all of them', async () => {
    const found = await resolve('app', 'other');
    const cache = await openCache(at('second'));
    rmSync(at('web/debian/pool/main'), { recursive: true });
    const fetching = (snapshot?: string) =>
      fetchDebs({ lock: lockOf(found), packages: found, stage: 's', snapshot }, cache, { ...context(), cache: at('second') });
    await expect(fetching()).rejects.toMatchObject({
      message: "2 of the locked packages can't be had any more",
      details: [
        expect.stringMatching(/^app 1:2\.0~rc1\+b1 \([0-9a-f]{64}\): http/),
        expect.stringContaining('other 1.0 ('),
      ] as unknown,
    });
    const then = at('web/snapshot/debian/20260102T030405Z/pool');
    mkdirSync(then, { recursive: true });
    await system.run({ file: 'cp', args: ['--recursive', at('debs'), path.join(then, 'main')] });
    expect(await fetching(`${server.url}/snapshot/{archive}/{time}`)).toHaveLength(3);
    publish();
  });

  it('that can not be reached say so, and nothing else is fetched any more', async () => {
    const found = await resolve('app', 'other', 'lib');
    const cache = await openCache(at('fourth'));
    const lock = { ...lockOf(found), archives: { ...lockOf(found).archives, main: 'http://127.0.0.1:9/debian' } };
    const begun = fetchDebs({ lock, packages: found, stage: 's' }, cache, { ...context(), cache: at('fourth') });
    await expect(begun).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringContaining('could not be fetched') as string,
    });
  });

  it('that are others than the lock says are not taken', async () => {
    const found = (await resolve('other')).map((it) => ({ ...it, sha256: 'f'.repeat(64) }));
    const cache = await openCache(at('third'));
    await expect(
      fetchDebs({ lock: lockOf(found), packages: found, stage: 's' }, cache, { ...context(), cache: at('third') }),
    ).rejects.toThrow('is another file than the lock says');
    expect(existsSync(at('third/deb', 'f'.repeat(64)))).toBe(false);
  });

  it('of an archive that nobody we know has signed are not listed', async () => {
    const stranger = makeSigningKey('stranger');
    signArchive(at('web', 'debian'), main, stranger);
    await expect(resolve('app')).rejects.toMatchObject({
      details: expect.arrayContaining([expect.stringMatching(/NO_PUBKEY|not signed|Missing key/)]) as unknown,
    });
    stranger.remove();
    publish();
  });
});
