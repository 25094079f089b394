import type { HostTool } from '../../src/host-tools.ts';

/** Real clients the e2e tests drive. */
export const testTools: readonly HostTool[] = [
  { program: 'git', package: 'git', why: 'client of the tests', needed: true },
  { program: 'svn', package: 'subversion', why: 'client of the tests', needed: true },
  { program: 'hg', package: 'mercurial', why: 'client of the tests', needed: true },
  { program: 'curl', package: 'curl', why: 'client of the tests', needed: true },
  { program: 'mvn', package: 'maven', why: 'client of the tests', needed: true },
  { program: 'dpkg-deb', package: 'dpkg', why: 'makes packages for the tests', needed: true },
  { program: 'gpg', package: 'gnupg', why: "signs the tests' archive", needed: true },
  { program: 'apt-ftparchive', package: 'apt-utils', why: "makes the tests' archive", needed: true },
  { program: 'slapd', package: 'slapd', why: 'contract test of the directory', needed: true },
  { program: 'ldapsearch', package: 'ldap-utils', why: 'contract test of the directory', needed: true },
  { program: 'ip', package: 'iproute2', why: 'network of the contract tests', needed: true },
  { program: 'tmux', package: 'tmux', why: "terminal of the wizard's tests", needed: true },
  { program: 'zstd', package: 'zstd', why: 'opens backups in the tests', needed: true },
  { program: 'mkfs.vfat', package: 'dosfstools', why: 'makes a USB disk for the tests', needed: true },
  { program: 'mcopy', package: 'mtools', why: 'reads a USB disk of the tests', needed: true },
  { program: 'xmllint', package: 'libxml2-utils', why: "checks the OVA's descriptor", needed: true },
  { program: 'bsdtar', package: 'libarchive-tools', why: 'opens the seed', needed: true },
  { program: 'groff', package: 'groff-base', why: 'reads the manual page', needed: true },
  { program: 'zsh', package: 'zsh', why: 'reads its completion', needed: true },
  { program: 'fish', package: 'fish', why: 'reads its completion', needed: true },
  { program: 'vagrant', package: 'vagrant', why: 'checks the Vagrantfile', needed: false },
];
