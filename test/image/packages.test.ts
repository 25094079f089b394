import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bootstrapCommand, requireBootstrapTools } from '../../src/image/bootstrap.ts';
import { parseStatus } from '../../src/image/contents.ts';
import { hooksFolder, writeParameters } from '../../src/image/package-parameters.ts';
import { packageProgress } from '../../src/image/package-progress.ts';
import { layerKey } from '../../src/image/packages.ts';
import type { ReportEvent } from '../../src/kernel/report.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { preferencesText, sourceText } from '../../src/lock/apt-sources.ts';
import type { Lock } from '../../src/lock/lock-file.ts';
import type { PackageLayer } from '../../src/plan/plan.ts';
import { emptyLock, lockedPackage } from '../support/locks.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'packages-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const sid = {
  name: 'sid',
  suite: 'sid',
  packageComponents: ['main'],
  options: { 'check-valid-until': 'no' },
  packages: ['jre8', 'x'],
};
const layer: PackageLayer = {
  suite: 'trixie',
  architecture: 'amd64',
  distribution: 'debian',
  keyring: { file: '/k.gpg', package: 'k' },
  packageComponents: ['main'],
  extraSources: [sid],
  packages: ['a', 'b'],
  accounts: [{ user: 'hudson', id: 702, home: '/srv/ci', component: 'hudson', joins: ['www-data'] }],
  debconf: ['slapd slapd/no_configuration boolean true'],
  dpkgPaths: [{ exclude: '/usr/share/man/*' }],
  keepModules: ['btrfs'],
  requiredModules: ['btrfs'],
  earlyFiles: [{ kind: 'file', path: '/etc/kernel-img.conf', mode: 0o644, uid: 0, gid: 0, content: Buffer.from('x\n') }],
};

const own = [
  { url: 'http://mirror/debian', suite: 'trixie' },
  { url: 'http://mirror/security', suite: 'trixie-security' },
];

test('the server has the archives for its updates; all but the names of a further source are pinned away', async () => {
  await writeParameters(dir, layer, { own, keys: new Map() });
  expect(readFileSync(path.join(dir, 'sources.list'), 'utf8')).toBe(
    'deb http://mirror/debian trixie main\ndeb http://mirror/security trixie-security main\n',
  );
  expect(readFileSync(path.join(dir, 'sources/sid.sources'), 'utf8')).toBe(
    'Types: deb\nURIs: http://mirror/debian\nSuites: sid\nComponents: main\nCheck-Valid-Until: no\n',
  );
  expect(readFileSync(path.join(dir, 'preferences/sid'), 'utf8')).toBe(
    'Package: *\nPin: release n=sid\nPin-Priority: -1\n\nPackage: jre8 x\nPin: release n=sid\nPin-Priority: 600\n',
  );
  const root = path.join(dir, 'root');
  mkdirSync(root);
  execFileSync(path.join(dir, 'setup.sh'), [root]);
  expect(readFileSync(path.join(root, 'etc/kernel-img.conf'), 'utf8')).toBe('x\n');
});

test('a source with its own key carries it, and is pinned by its host', () => {
  const own = { ...sid, url: 'https://pkg.example.org/debian-stable', suite: 'binary/', options: {} };
  expect(sourceText(own, 'BEGIN\n\nabc\nEND\n')).toBe(
    'Types: deb\nURIs: https://pkg.example.org/debian-stable\nSuites: binary/\nSigned-By:\n BEGIN\n .\n abc\n END\n',
  );
  expect(preferencesText(own)).toContain('Pin: origin "pkg.example.org"');
});

test('accounts get their numbers, and a collision is refused', async () => {
  await writeParameters(dir, { ...layer, debconf: [] }, { own, keys: new Map() });
  const root = path.join(dir, 'root');
  mkdirSync(path.join(root, 'etc'), { recursive: true });
  for (const name of ['passwd', 'group', 'shadow']) writeFileSync(path.join(root, 'etc', name), '');
  execFileSync(path.join(dir, 'essential.sh'), [root]);
  expect(readFileSync(path.join(root, 'etc/passwd'), 'utf8')).toBe('hudson:x:702:702::/srv/ci:/usr/sbin/nologin\n');
  expect(readFileSync(path.join(root, 'etc/group'), 'utf8')).toBe('hudson:x:702:\n');
  expect(() => execFileSync(path.join(dir, 'essential.sh'), [root], { stdio: 'pipe' })).toThrow('collides');
});

test('modules are pruned to the list with hard and soft dependencies', () => {
  const modules = path.join(dir, '6.12');
  const files = ['fs/btrfs/btrfs', 'lib/xor', 'crypto/blake2b_generic', 'drivers/usb/usb-storage', 'sound/snd'];
  for (const file of files) {
    mkdirSync(path.join(modules, 'kernel', path.dirname(file)), { recursive: true });
    writeFileSync(path.join(modules, 'kernel', `${file}.ko.xz`), '');
  }
  const dep = files.map((file) => `kernel/${file}.ko.xz:${file.includes('btrfs') ? ' kernel/lib/xor.ko.xz' : ''}\n`);
  writeFileSync(path.join(modules, 'modules.dep'), dep.join(''));
  writeFileSync(path.join(modules, 'modules.softdep'), 'softdep btrfs pre: blake2b-256\n');
  writeFileSync(path.join(modules, 'modules.alias'), 'alias blake2b-256 blake2b_generic\nalias pci:v*d* snd\n');
  writeFileSync(path.join(modules, 'modules.builtin'), 'kernel/fs/ext4/ext4.ko\n');
  const prune = (keep: string, required: string) => {
    writeFileSync(path.join(dir, 'keep'), keep);
    writeFileSync(path.join(dir, 'required'), required);
    execFileSync(path.join(hooksFolder(), 'prune-modules.sh'), [modules, path.join(dir, 'keep'), path.join(dir, 'required')], {
      stdio: 'pipe',
    });
  };
  prune('btrfs\nusb_storage\nunheard-of\n', 'btrfs\nusb-storage\next4\n');
  const left = readdirSync(path.join(modules, 'kernel'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.xz'));
  expect(left.sort()).toEqual([
    'crypto/blake2b_generic.ko.xz',
    'drivers/usb/usb-storage.ko.xz',
    'fs/btrfs/btrfs.ko.xz',
    'lib/xor.ko.xz',
  ]);
  expect(existsSync(path.join(modules, 'kernel/sound'))).toBe(false);
  expect(() => prune('btrfs\n', 'nvme\n')).toThrow('lacks the required modules: nvme');
});

test('the command names the one archive it is given and no recommended packages', () => {
  const given = { parameters: '/p', archive: 'deb [trusted=yes] copy:/a trixie main' };
  const { args } = bootstrapCommand(layer, given, '/out.tar', undefined, { isRoot: false });
  expect(args).toContain('--mode=unshare');
  expect(args).toContain('--aptopt=Apt::Install-Recommends "false"');
  expect(args.slice(-4)).toEqual(['--include=a,b', 'trixie', '/out.tar', given.archive]);
});

test('the key follows the layer and what is locked, and not where that lies', async () => {
  const key = (changes: Partial<PackageLayer> = {}, packages: Lock['packages'] = [lockedPackage('a', '1')]): Promise<string> =>
    layerKey({ layer: { ...layer, ...changes }, lock: { ...emptyLock, packages } });
  const there = await key();
  expect(await key({}, [{ ...lockedPackage('a', '1'), path: 'elsewhere.deb' }])).toBe(there);
  expect(await key({ packages: ['a'] })).not.toBe(there);
  expect(await key({}, [lockedPackage('a', '2')])).not.toBe(there);
});

test('a machine without mmdebstrap or keyring is told what to install', async () => {
  const system = { ...realSystem(), isRoot: true, which: () => undefined };
  await expect(requireBootstrapTools(layer.keyring, { system })).rejects.toMatchObject({
    exitCode: 4,
    hint: 'sudo apt-get install mmdebstrap',
  });
  const has = { ...system, which: (name: string) => `/usr/bin/${name}` };
  await expect(requireBootstrapTools(layer.keyring, { system: has })).rejects.toMatchObject({
    exitCode: 4,
    hint: 'sudo apt-get install k',
  });
});

test('lines become progress', () => {
  const events: ReportEvent[] = [];
  const line = packageProgress((event) => events.push(event), 'package layer');
  line('0 upgraded, 2 newly installed, 0 to remove');
  line('Unpacking a (1.0) ...');
  line('Setting up a (1.0) ...');
  line('noise');
  expect(events).toMatchObject([
    { text: 'Unpacking a (1.0)', fraction: 0.15 },
    { text: 'Setting up a (1.0)', fraction: 0.325 },
  ]);
});

test('installed packages are read from the status file', () => {
  const text =
    'Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nStatus: deinstall ok config-files\nVersion: 2\n';
  expect(parseStatus(text)).toEqual([{ name: 'a', version: '1' }]);
});
