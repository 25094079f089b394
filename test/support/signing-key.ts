import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** An OpenPGP key of a test, in a home of its own. */
export interface SigningKey {
  /** 40 hexadecimal digits, as upstreams announce them. */
  readonly fingerprint: string;
  /** The public half as text. */
  readonly armoured: string;
  /** The public half as apt's keyrings hold it. */
  readonly binary: Uint8Array;
  /** Signs a text in place of itself (InRelease). */
  readonly clearsign: (text: string) => string;
  /** Forgets the key and ends its agent. */
  readonly remove: () => void;
}

/** Makes a throw-away key with GnuPG. Its home lies in the temporary folder, for the agent's socket needs a short path. */
export function makeSigningKey(name: string): SigningKey {
  const home = mkdtempSync(path.join(tmpdir(), 'gpg-'));
  chmodSync(home, 0o700);
  const gpg = (args: readonly string[], input = ''): Buffer =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', '', ...args], {
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  gpg(['--quick-generate-key', `${name} <${name}@example.org>`, 'rsa3072', 'sign', '1d']);
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(gpg(['--with-colons', '--list-keys']).toString('utf8'))?.[1] ?? '';
  return {
    fingerprint,
    armoured: gpg(['--armor', '--export', fingerprint]).toString('utf8'),
    binary: gpg(['--export', fingerprint]),
    clearsign: (text) => gpg(['--clearsign', '--digest-algo', 'SHA256', '--local-user', fingerprint], text).toString('utf8'),
    remove: () => {
      execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
