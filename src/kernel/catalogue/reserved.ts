/** Accounts of the system that components may name as owners. */
export const systemAccounts = ['root', 'www-data'];

/** Accounts and groups that every system brings along: no component makes one of that name. */
export const reservedAccounts: ReadonlySet<string> = new Set(
  [
    'root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc nobody nogroup',
    'adm tty disk dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev staff users',
    'input sgx clock kvm render crontab netdev lxd adduser',
    'systemd-network systemd-resolve systemd-timesync systemd-journal systemd-coredump systemd-oom messagebus polkitd',
    'sshd ssh ssl-cert',
  ].flatMap((line) => line.split(' ')),
);

/** Files of the system disk that the system, its packages and the build itself write. */
const systemFiles: ReadonlySet<string> = new Set(
  [
    ...['passwd', 'shadow', 'group', 'gshadow', 'subuid', 'subgid', 'machine-id', 'fstab', 'hostname', 'hosts', 'sudoers'],
    ...['passwd-', 'shadow-', 'group-', 'gshadow-', 'ld.so.cache', 'ld.so.preload'],
  ].map((name) => `/etc/${name}`),
);

/** Folders that hold no files of the system disk: file systems of the running system, or of the data disk, lie over them. */
const overlaid = ['/proc/', '/sys/', '/dev/', '/run/', '/tmp/', '/srv/', '/boot/', '/var/lib/dpkg/'];

/** Why no component may put a file of the system disk there, or undefined. */
export function whyReserved(target: string): string | undefined {
  if (target.split('/').includes('..')) return 'climbs out of its folder';
  if (systemFiles.has(target) || target.startsWith('/etc/ssh/ssh_host_')) return "is the system's own";
  const folder = overlaid.find((it) => target.startsWith(it));
  return folder === undefined ? undefined : `would be lost: ${folder} is not for files of the system disk`;
}
