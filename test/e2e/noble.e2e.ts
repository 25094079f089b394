import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { makeArchive, signArchive } from '../support/archive.ts';
import { makeDeb } from '../support/deb.ts';
import { type FileServer, serveFiles } from '../support/file-server.ts';
import { makeSigningKey, type SigningKey } from '../support/signing-key.ts';
import { usersCache } from './support/built.ts';
import { checkout, type cli, must, run } from './support/cli.ts';
import { type OrdinaryUser, ordinaryUser } from './support/ordinary-user.ts';
import { openOutputs } from './support/outputs.ts';

const archive = (debs: string, suite = 'noble') => ({
  origin: 'Ubuntu',
  suite,
  components: { main: path.join(debs, 'main'), universe: path.join(debs, 'universe') },
});
const hello = {
  name: 'hello',
  title: 'Hello',
  summary: 'stands for all components',
  licence: 'Apache-2.0',
  accounts: [{ user: 'hello', id: 790 }],
  install: { packages: ['hello-universe'] },
};

/**
 * Ubuntu's archive can't be reached where this is tested. A small one with its suite, components and signing
 * stands in for it: the packages every system begins with are Debian's under another name, kernel and
 * component are made here. So it shows what the base file decides, not that Ubuntu's own packages fit.
 * It is built by an ordinary user, in user namespaces; the appliance of the other tests is built by root.
 */
describe('a build from a local signed archive named noble', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'noble-'));
  const at = (...names: string[]): string => path.join(dir, ...names);
  // mmdebstrap reads the key as another user where it works in a user namespace
  chmodSync(dir, 0o755);
  const appliance = at('appliance');
  const security = archive(at('security'), 'noble-security');
  let server: FileServer;
  let user: OrdinaryUser;
  let key: SigningKey;
  let stranger: SigningKey;
  const asUser = (words: readonly string[], cache: string, ...flags: string[]): ReturnType<typeof cli> => {
    const places = ['--stacks', at('stacks'), '--cache', at(cache), '--mirror', `${server.url}/ubuntu`];
    return user.cli([...words, ...places, ...flags]);
  };
  const build = (): ReturnType<typeof cli> => asUser(['build', appliance], 'cache', '--plain');

  beforeAll(async () => {
    [key, stranger] = [makeSigningKey('noble'), makeSigningKey('stranger')];
    await essentialPackages(at('debs', 'main'));
    makeDeb(at('debs', 'main'), kernel);
    makeDeb(at('debs', 'universe'), {
      name: 'hello-universe',
      files: { '/usr/share/hello/said': 'hello\n' },
    });
    makeArchive(at('web', 'ubuntu'), archive(at('debs')));
    // a security update; there is no noble-updates at all
    mkdirSync(at('security', 'main'), { recursive: true });
    makeDeb(at('security', 'universe'), {
      name: 'hello-universe',
      version: '1.0.1',
      files: { '/usr/share/hello/said': 'hello, safely\n' },
    });
    makeArchive(at('web', 'ubuntu'), security);
    writeFileSync(at('noble.gpg'), key.binary);
    writeStacks(at('stacks'), at('noble.gpg'));
    mkdirSync(appliance);
    const machine = { memory: '1G', cpus: 1, systemDisk: '3G', dataDisk: '1G' };
    writeFileSync(
      path.join(appliance, 'devserver.yaml'),
      stringify({
        version: 1,
        name: 'noble',
        hostname: 'noble',
        base: 'noble-24.04',
        stack: 'small',
        machine,
      }),
    );
    await shareToolRoots(at('cache'));
    user = await ordinaryUser(dir);
    for (const folder of [appliance, at('cache')]) await user.give(folder);
    server = await serveFiles(at('web'));
  });

  afterAll(async () => {
    await server.close();
    await user.remove();
    for (const it of [key, stranger]) it.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  it('is refused, with the reason, when the archive is signed by somebody else', async () => {
    for (const suite of [archive(at('debs')), security]) signArchive(at('web', 'ubuntu'), suite, stranger);
    const { exitCode, stderr } = await build();
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/lock/);
    expect(stderr).toMatch(/NO_PUBKEY|not signed|Missing key/);
    expect(stderr).toContain('build.log');
    for (const folder of [path.join(appliance, 'out'), at('cache', 'layer')])
      expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
  });

  it('makes a disk image with what suite, components, keyring and mirror of the base lead to', async () => {
    for (const suite of [archive(at('debs')), security]) signArchive(at('web', 'ubuntu'), suite, key);
    const { exitCode, stderr } = await build();
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('has no noble-updates');
    expect(stderr).not.toContain('has no noble-security');
    const image = JSON.parse(readFileSync(path.join(appliance, 'out', 'image.json'), 'utf8')) as {
      base: { name: string };
      kernel: string;
      packages: { name: string; version: string }[];
    };
    expect(image.base.name).toBe('noble-24.04');
    expect(image.kernel).toBe('6.8.0-1-test');
    expect(image.packages).toContainEqual({ name: 'hello-universe', version: '1.0.1' });
    for (const file of ['system.raw', 'system.qcow2']) expect(statSync(path.join(appliance, 'out', file)).uid).toBe(user.uid);
  });

  it('asked the given mirror for that suite, its security updates and both components, and no other', () => {
    const indexes = new Set(server.asked.filter((it) => it.includes('/dists/')).map((it) => it.replace(/\/by-hash\/.*/, '')));
    expect([...indexes]).toContain('/ubuntu/dists/noble/InRelease');
    const others = [...indexes].filter((it) => !/^\/ubuntu\/dists\/noble(-security)?\//.test(it));
    expect(others).toEqual(['/ubuntu/dists/noble-updates/InRelease']);
    for (const component of ['main', 'universe'])
      expect(server.asked.some((it) => it.startsWith(`/ubuntu/dists/noble/${component}/binary-amd64/`))).toBe(true);
  });

  it('keeps these sources in the system, and the account its fixed number', async () => {
    const [layer = ''] = readdirSync(at('cache', 'layer'));
    const read = (file: string): Promise<string> => must('tar', ['-xOf', at('cache', 'layer', layer), `./${file}`]);
    const sources = (await read('etc/apt/sources.list')).split('\n').filter((line) => line.startsWith('deb '));
    expect(sources.map((line) => line.replace(/^deb (?:\[.*\] )?/, '').replace('ubuntu/ ', 'ubuntu '))).toEqual([
      `${server.url}/ubuntu noble main universe`,
      `${server.url}/ubuntu noble-security main universe`,
    ]);
    expect(await read('etc/passwd')).toContain('hello:x:790:790:');
    const owner = await must('tar', ['--numeric-owner', '-tvf', at('cache', 'layer', layer), './etc/passwd']);
    expect(owner).toContain(' 0/0 ');
    expect(await read('usr/share/hello/said')).toBe('hello, safely\n');
  });

  it('is known before any build to have everything, or what it lacks', async () => {
    const check = async (stack: string): Promise<[number, unknown]> => {
      const { exitCode, stdout } = await asUser(['base', 'check', 'noble-24.04'], 'cache', '--stack', stack, '--json');
      return [exitCode, JSON.parse(stdout.trim().split('\n').at(-1) ?? '')];
    };
    const updates = { pockets: ['noble-updates'] };
    expect(await check('small')).toEqual([0, expect.objectContaining({ ...updates, ok: true, packages: [], unmet: [] })]);
    expect(await check('larger')).toEqual([4, expect.objectContaining({ ...updates, ok: false, packages: ['hello-more'] })]);
  });

  it('becomes every output without being built again, each as other tools read it', async () => {
    const others = ['vmdk', 'ova', 'vagrant-libvirt', 'vagrant-virtualbox', 'tar', 'seed'];
    const flags = ['--plain', ...others.flatMap((format) => ['--output', format])];
    const before = statSync(path.join(appliance, 'out/system.raw')).mtimeMs;
    const { exitCode, stderr } = await asUser(['build', appliance], 'cache', ...flags);
    expect(exitCode, stderr).toBe(0);
    expect(statSync(path.join(appliance, 'out/system.raw')).mtimeMs).toBe(before);
    await openOutputs(path.join(appliance, 'out'), at('cache'));
    const again = await build();
    expect(again.stderr, 'they stay as long as the image is the same').toContain('from the cache');
    expect(existsSync(path.join(appliance, 'out/appliance.ova'))).toBe(true);
  });

  it('is the same to the bit from its lock, with another cache: from its export, without network', async () => {
    const [file, away] = [at('home', 'export.tar'), at('home', 'away')];
    const { exitCode, stderr } = await asUser(['export', appliance, file], 'cache', '--frozen', '--plain');
    expect(exitCode, stderr).toBe(0);
    mkdirSync(away);
    await must('tar', ['--extract', `--file=${file}`, `--directory=${away}`]);
    await must('chown', ['--recursive', `${user.uid}`, away]);
    const told = readFileSync(path.join(away, 'README.txt'), 'utf8');
    const [, words = ''] = /^node (generator.*)$/m.exec(told) ?? [];
    const built = await user.offline(away, [...words.split(' '), '--plain']);
    expect(built.exitCode, built.stderr).toBe(0);
    expect(built.stderr).not.toContain('has no noble-security');
    for (const name of ['system.raw', 'system.qcow2', 'sbom.cdx.json'])
      await must('cmp', ['--', path.join(away, 'server/out', name), path.join(appliance, 'out', name)]);
  });

  it('is the same from the package that npm makes, installed in an empty folder', async () => {
    const app = at('home', 'app');
    mkdirSync(path.join(app, 'server'), { recursive: true });
    const [packed = ''] = (await must('npm', ['pack', '--silent', '--pack-destination', dir], { cwd: checkout }))
      .trim()
      .split('\n');
    writeFileSync(path.join(app, 'package.json'), '{}');
    await must('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', at(packed)], { cwd: app });
    for (const name of ['devserver.yaml', 'devserver.lock'])
      writeFileSync(path.join(app, 'server', name), readFileSync(path.join(appliance, name)));
    await must('chown', ['--recursive', `${user.uid}`, app]);
    const places = ['--stacks', at('stacks'), '--cache', at('cache'), '--mirror', `${server.url}/ubuntu`];
    const words = ['node_modules/.bin/create-devserver', 'build', 'server', '--frozen', '--plain', ...places];
    const { exitCode, stderr } = await user.offline(app, words);
    expect(exitCode, stderr).toBe(0);
    await must('cmp', ['--', path.join(app, 'server/out/system.raw'), path.join(appliance, 'out/system.raw')]);
  });

  it('stays as it is until the lock is upgraded, and says what is newer', async () => {
    const version = (): string | undefined =>
      (
        JSON.parse(readFileSync(path.join(appliance, 'out/image.json'), 'utf8')) as {
          packages: { name: string; version: string }[];
        }
      ).packages.find(({ name }) => name === 'hello-universe')?.version;
    makeDeb(at('security', 'universe'), {
      name: 'hello-universe',
      version: '1.0.2',
      files: { '/usr/share/hello/said': 'hello, more safely\n' },
    });
    makeArchive(at('web', 'ubuntu'), security);
    signArchive(at('web', 'ubuntu'), security, key);
    const change = { name: 'hello-universe', from: '1.0.1', to: '1.0.2', security: true };
    const outdated = await asUser(['outdated', appliance], 'cache', '--json');
    expect(JSON.parse(outdated.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      changes: [change],
      security: 1,
      upgraded: false,
    });
    expect((await build()).exitCode).toBe(0);
    expect(version()).toBe('1.0.1');
    const upgrade = await asUser(['upgrade-lock', appliance], 'cache', '--plain');
    expect(`${upgrade.stdout}${upgrade.stderr}`).toContain('security  hello-universe 1.0.1 -> 1.0.2');
    expect((await build()).exitCode).toBe(0);
    expect(version()).toBe('1.0.2');
    // answers of other packages: not by this lock
    const yaml = path.join(appliance, 'devserver.yaml');
    writeFileSync(yaml, readFileSync(yaml, 'utf8').replace('stack: small', 'stack: larger'));
    const frozen = await asUser(['build', appliance], 'cache', '--frozen', '--plain');
    expect([frozen.exitCode, frozen.stderr]).toEqual([3, expect.stringContaining('devserver.lock is for other answers')]);
  });
});

/** A kernel in name only: what the boot menu and the links need. */
const kernel = {
  name: 'linux-image-virtual',
  files: { '/boot/vmlinuz-6.8.0-1-test': 'kernel\n', '/boot/initrd.img-6.8.0-1-test': 'initrd\n' },
  links: Object.fromEntries(
    ['vmlinuz', 'initrd.img'].flatMap((name) => [
      [`/${name}`, `boot/${name}-6.8.0-1-test`],
      [`/${name}.old`, `boot/${name}-6.8.0-1-test`],
    ]),
  ),
};

/** The packages a root file system begins with, fetched once by mmdebstrap from its own default archive. */
async function essentialPackages(folder: string): Promise<void> {
  const kept = path.join(checkout, 'build', 'e2e', 'essential-debs');
  if (!existsSync(kept)) {
    const fresh = `${kept}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    await must('mmdebstrap', [
      '--variant=extract',
      '--architectures=amd64',
      '--include=?essential',
      '--include=apt',
      '--include=passwd',
      '--keyring=/usr/share/keyrings/debian-archive-keyring.gpg',
      '--aptopt=Apt::Install-Recommends "false"',
      '--skip=essential/unlink,cleanup',
      `--extract-hook=copy-out /var/cache/apt/archives ${fresh}`,
      '--format=null',
      'trixie',
    ]);
    await must('mv', [path.join(fresh, 'archives'), kept]);
    rmSync(fresh, { recursive: true, force: true });
  }
  mkdirSync(path.dirname(folder), { recursive: true });
  await must('cp', ['-r', kept, folder]);
}

/** Ubuntu's base file with fewer packages, no modules to prune, and the test's key as the archive's. */
function writeStacks(folder: string, keyring: string): void {
  const ubuntu = parse(readFileSync(path.join(checkout, 'stacks/bases/ubuntu-24.04.yaml'), 'utf8')) as Record<string, unknown> & {
    kernel: object;
    keyring: object;
  };
  const small = { packages: ['passwd'], imagePackages: ['linux-image-virtual'], downloads: [], earlyFiles: {} };
  const base = {
    ...ubuntu,
    ...small,
    name: 'noble-24.04',
    keyring: { ...ubuntu.keyring, file: keyring },
    kernel: { ...ubuntu.kernel, keep: [], required: [] },
  };
  delete (base as { auto?: unknown }).auto;
  const files = {
    'bases/noble.yaml': base,
    'small.yaml': { name: 'small', title: 'Small', components: ['hello'] },
    'components/hello/component.yaml': hello,
    'larger.yaml': { name: 'larger', title: 'Larger', components: ['hello', 'more'] },
    'components/more/component.yaml': {
      ...hello,
      name: 'more',
      title: 'More',
      accounts: [],
      install: { packages: ['hello-more'] },
    },
  };
  for (const [file, data] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), stringify(data));
  }
}

/** Layers go into a cache of the test, to be thrown away; the tool roots are the user's. */
async function shareToolRoots(cache: string): Promise<void> {
  mkdirSync(path.join(usersCache, 'tools'), { recursive: true });
  mkdirSync(cache);
  // a link to them would lead through a home that may be closed to others; the files are not copied where that can be
  const [from, to] = [path.join(usersCache, 'tools'), path.join(cache, 'tools')];
  if ((await run('cp', ['-r', '--link', '--', from, to])).exitCode === 0) return;
  rmSync(to, { recursive: true, force: true });
  await must('cp', ['-r', '--', from, to]);
}
