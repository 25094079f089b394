import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { checkout, cli, must } from './cli.ts';

/** What a minimal Debian of ours has, as a stock cloud image has it too. */
const packages = [
  ...['systemd', 'systemd-sysv', 'systemd-resolved', 'libpam-systemd', 'dbus', 'udev', 'sudo'],
  ...['openssh-server', 'ca-certificates', 'nftables'],
];

/**
 * A minimal Debian 13 from mmdebstrap in a folder that `up --backend nspawn` takes: nothing of ours is in it. Its account
 * `admin` may use sudo; who may log in is said at its start.
 */
export async function stockMachine(name: string, more: readonly string[] = []): Promise<string> {
  const dir = path.join(checkout, 'build', 'e2e', name);
  await cli(['down', dir]);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(path.join(dir, 'out'), { recursive: true });
  const hooks = mkdtempSync(path.join(dir, 'hooks-'));
  writeFileSync(path.join(hooks, 'customize.sh'), customize, { mode: 0o755 });
  const tree = path.join(dir, 'tree');
  await must('mmdebstrap', [
    '--mode=root',
    '--variant=apt',
    '--format=directory',
    '--quiet',
    '--aptopt=Apt::Install-Recommends "false"',
    '--keyring=/usr/share/keyrings/debian-archive-keyring.gpg',
    `--include=${[...packages, ...more].join(',')}`,
    `--customize-hook=${path.join(hooks, 'customize.sh')}`,
    'trixie',
    tree,
  ]);
  const disk = path.join(dir, 'out', 'system.raw');
  const bytes = 5 * 1024 ** 3;
  await must('truncate', ['--size', String(bytes), disk]);
  await must('mke2fs', ['-q', '-t', 'ext4', '-d', tree, disk]);
  rmSync(tree, { recursive: true });
  writeFileSync(path.join(dir, 'out', 'image.json'), JSON.stringify({ id: name, root: { offset: 0, bytes } }));
  return dir;
}

/** The answers of another server, in the folder of a machine that is to become one. */
export function answersFor(dir: string, from: string, url?: string): void {
  const answers = parse(readFileSync(path.join(from, 'devserver.yaml'), 'utf8')) as Record<string, unknown>;
  writeFileSync(path.join(dir, 'devserver.yaml'), stringify({ ...answers, ...(url === undefined ? {} : { url }) }));
}

const customize = `#!/bin/sh
set -eu
chroot "$1" useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD: ALL' > "$1/etc/sudoers.d/admin"
mkdir -p "$1/home/admin/.ssh"
chroot "$1" chown -R admin:admin /home/admin
printf '[Match]\\nName=host0 tap0\\n[Network]\\nDHCP=yes\\n' > "$1/etc/systemd/network/10-own.network"
chroot "$1" systemctl enable systemd-networkd.service systemd-resolved.service >/dev/null 2>&1
ln -sf /run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"
printf 'stock\\n' > "$1/etc/hostname"
printf '127.0.0.1 localhost\\n127.0.1.1 stock\\n' > "$1/etc/hosts"
`;
