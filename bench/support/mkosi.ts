import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Pocket } from '../../src/plan/pockets.ts';

/** mkosi of Debian 13, in a root of its own: the machine's own distribution may have none, or an old one. */
const own = [
  'mkosi',
  'systemd-repart',
  'systemd-boot',
  'systemd-ukify',
  'dosfstools',
  'e2fsprogs',
  'mtools',
  'apt',
  'zstd',
  'cpio',
  'kmod',
  'debian-archive-keyring',
];

/**
 * A root with mkosi and a project in it that installs these packages onto a disk that boots with UEFI; what it has to fetch is
 * fetched once.
 */
export async function preparedMkosi(root: string, packages: readonly string[], sources: readonly Pocket[]): Promise<string> {
  if (!existsSync(path.join(root, 'usr/bin/mkosi'))) {
    rmSync(root, { recursive: true, force: true });
    execFileSync('mmdebstrap', ['--variant=apt', '--mode=root', `--include=${own.join(',')}`, 'trixie', root], {
      stdio: 'ignore',
    });
  }
  const project = path.join(root, 'work');
  mkdirSync(path.join(project, 'mkosi.sandbox/etc/apt/sources.list.d'), { recursive: true });
  mkdirSync(path.join(project, 'cache'), { recursive: true });
  const conf = [
    ...['[Distribution]', 'Distribution=debian', 'Release=trixie', 'Architecture=x86-64'],
    ...['[Output]', 'Format=disk', 'Output=image', 'OutputDirectory=out'],
    ...['[Build]', 'PackageCacheDirectory=cache', 'Incremental=no', 'WithNetwork=no'],
    ...[
      '[Content]',
      'Bootable=yes',
      'Bootloader=systemd-boot',
      'WithDocs=no',
      `Packages=${[...packages, 'systemd-boot-efi'].join(',')}`,
      '',
    ],
  ];
  writeFileSync(path.join(project, 'mkosi.conf'), conf.join('\n'));
  // in place of its own list, which has the suite with debugging symbols too; Java 8 is in sid alone
  const main = sources[0] ?? { url: '', suite: '' };
  const text = ({ url, suite }: Pocket): string =>
    [
      ...['Types: deb', `URIs: ${url}`, `Suites: ${suite}`, 'Components: main'],
      ...['Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg', 'Check-Valid-Until: no', ''],
    ].join('\n');
  writeFileSync(
    path.join(project, 'mkosi.sandbox/etc/apt/sources.list.d/mkosi.sources'),
    [...sources, { ...main, suite: 'sid' }].map(text).join('\n'),
  );
  mkdirSync(path.join(project, 'mkosi.sandbox/etc/apt/preferences.d'), { recursive: true });
  writeFileSync(
    path.join(project, 'mkosi.sandbox/etc/apt/preferences.d/sid'),
    'Package: *\nPin: release n=sid\nPin-Priority: 100\n',
  );
  // without manuals Java's alternatives find no folder for theirs
  mkdirSync(path.join(project, 'mkosi.skeleton/usr/share/man/man1'), { recursive: true });
  execFileSync('cp', ['--dereference', '/etc/resolv.conf', path.join(root, 'etc/resolv.conf')]);
  const [file = '', ...args] = mkosiCommand(root, 'never');
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return root;
}

/** Builds the project of such a root anew; `always` takes all that can be fetched from its cache. */
export function mkosiCommand(root: string, cacheOnly: 'always' | 'never' = 'always'): string[] {
  const inside = `mount -t proc proc /proc; mount -t sysfs sys /sys; cd /work && exec mkosi --cache-only=${cacheOnly} --force build`;
  return [
    ...['unshare', '--mount', '--pid', '--fork', '--propagation', 'private', 'sh', '-euc'],
    ...[
      // its sandbox wants a root that is mounted
      'mount --bind "$1" "$1"; cd "$1"; mount --rbind /dev dev; exec chroot . env -i PATH=/usr/sbin:/usr/bin HOME=/root sh -euc "$2"',
      'sh',
      root,
      inside,
    ],
  ];
}

export function mkosiVersion(root: string): string {
  return execFileSync('chroot', [root, 'dpkg-query', '-W', '-f', '${Version}', 'mkosi'], { encoding: 'utf8' });
}
