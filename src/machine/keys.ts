import { existsSync, readFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import { writeOwn } from './files.ts';
import type { MachinePaths } from './instance.ts';

/** Makes the machine's own ssh key pair once: ssh_key (0600, OpenSSH form) and ssh_key.pub. */
export function keepSshKey(paths: MachinePaths, name: string): void {
  const publicFile = `${paths.sshKey}.pub`;
  if (existsSync(paths.sshKey) && existsSync(publicFile) && canBeRead(readFileSync(paths.sshKey, 'utf8'))) return;
  const pair = readablePair(`devserver-${name}`);
  writeOwn(publicFile, `${pair.public}\n`);
  // The private half last: where it is, the public half is too.
  writeOwn(paths.sshKey, pair.private);
}

/** One in a few hundred keys that ssh2 makes is one that neither it nor OpenSSH can read: such a machine could never be reached. */
function readablePair(comment: string): { readonly public: string; readonly private: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    if (canBeRead(pair.private)) return pair;
  }
}

function canBeRead(key: string): boolean {
  return !(ssh2.utils.parseKey(key) instanceof Error);
}
